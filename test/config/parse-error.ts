import { ConfigError, parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';

/** Parse a config with these environment variables, under the name `c.json`. */
export function parse(text: string, variables: Record<string, string> = {}): Config {
  return parseConfig(text, 'c.json', { variables });
}

/** What is reported about a config that is not accepted, line by line; `[]` when it is. */
export function reported(action: () => unknown): string[] {
  try {
    action();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

/** What is reported about this text, line by line. */
export function problemsIn(text: string, variables: Record<string, string> = {}): string[] {
  return reported(() => parse(text, variables));
}
