import { existsSync } from 'node:fs';
import type { DiscoverOptions } from './discover.ts';
import { DEFAULT_CONFIG } from './source-options.ts';
import { UsageError } from './usage.ts';

/** The variable with the token of an admin listener that is given by its address. */
export const TOKEN_VARIABLE = 'COMET_PROXY_ADMIN_TOKEN';

/** The options of `discover`. */
export function discoverOptions<T>(builder: import('yargs').Argv<T>) {
  return builder
    .positional('file', {
      type: 'string',
      array: true,
      describe: 'HAR files and access logs, also compressed; /dev/stdin for standard input',
    })
    .option('config', {
      alias: 'c',
      type: 'string',
      requiresArg: true,
      describe: `Without a file: the config of the running proxy to ask (default: ./${DEFAULT_CONFIG})`,
    })
    .option('admin', {
      type: 'string',
      requiresArg: true,
      describe: `Without a file: the admin listener to ask, as 127.0.0.1:9090; its token in ${TOKEN_VARIABLE}`,
    })
    .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
    .check(({ file = [], config, admin, help }) => {
      if (help) return true;
      for (const [name, value] of Object.entries({ config, admin } as Record<string, unknown>)) {
        if (Array.isArray(value)) throw new UsageError(`--${name} can be given only once`);
      }
      if (file.length > 0 && (config ?? admin) !== undefined) {
        throw new UsageError('files are read without a proxy: leave out --config and --admin');
      }
      if (config !== undefined && admin !== undefined) {
        throw new UsageError('--admin cannot be combined with --config');
      }
      if (file.length === 0 && (config ?? admin) === undefined && !existsSync(DEFAULT_CONFIG)) {
        throw new UsageError(
          `name a HAR file or an access log, or the running proxy with --admin ADDRESS (there is no ./${DEFAULT_CONFIG})`,
        );
      }
      return true;
    });
}

/** What the options ask for. */
export function discoverQuestion({
  file = [],
  config = DEFAULT_CONFIG,
  admin,
  json,
}: {
  readonly file?: string[] | undefined;
  readonly config?: string | undefined;
  readonly admin?: string | undefined;
  readonly json: boolean;
}): DiscoverOptions {
  if (file.length > 0) return { from: { kind: 'files', files: file }, json };
  if (admin === undefined) return { from: { kind: 'config', file: config }, json };
  const token = process.env[TOKEN_VARIABLE];
  return { from: { kind: 'admin', address: admin, token }, json };
}
