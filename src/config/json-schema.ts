import { z } from 'zod';
import { configSchema } from './schema.ts';

/** The config's JSON Schema (draft 2020-12), as editors use it and `comet-proxy schema` prints it. */
export function configJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input' });
  return {
    $schema,
    title: 'comet-proxy configuration',
    allowComments: true,
    allowTrailingCommas: true,
    ...schema,
  };
}
