import { existsSync } from 'node:fs';
import type { CliOptions } from './config.ts';
import { UsageError } from './usage.ts';

/** The config of a command line that names none. */
export const DEFAULT_CONFIG = 'proxy.config.json';

/** The options that say where the config comes from. */
export function sourceOptions<T>(builder: import('yargs').Argv<T>) {
  return builder
    .option('config', {
      alias: 'c',
      type: 'string',
      requiresArg: true,
      describe: `Config file, or - for standard input (default: ./${DEFAULT_CONFIG}, unless --site is given)`,
    })
    .option('site', {
      type: 'string',
      requiresArg: true,
      describe: 'Without a file: the site, as http://host:port',
    })
    .option('live', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Without a file: a path and how often it is polled, as /api/status=2s; repeatable',
    })
    .option('listen', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Without a file: address to listen on (default: 127.0.0.1:8080); repeatable',
    })
    .option('polls', {
      type: 'string',
      requiresArg: true,
      describe:
        "Without a file: what the pages' own polls of --live get: pass, absorb or hold (default: absorb)",
    })
    .option('inject', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe:
        "Without a file: pages that get the browser script, as '/**': no polls on the wire; repeatable",
    })
    .check(({ config, site, live, listen, polls, inject, help }) => {
      if (help) return true;
      const single: Record<string, unknown> = { config, site, polls };
      for (const [name, value] of Object.entries(single)) {
        if (Array.isArray(value)) throw new UsageError(`--${name} can be given only once`);
      }
      const ofSite = { live, listen, polls, inject };
      const [given] = Object.entries(ofSite).find(([, value]) => value !== undefined) ?? [];
      const other = site === undefined ? given : 'site';
      if (config !== undefined && other !== undefined) {
        throw new UsageError(`--config cannot be combined with --${other}: write it into the file`);
      }
      if (site === undefined && given !== undefined) {
        throw new UsageError(`--${given} needs --site, as in --site http://127.0.0.1:3000`);
      }
      if (site === undefined && config === undefined && !existsSync(DEFAULT_CONFIG)) {
        throw new UsageError(
          `there is no ./${DEFAULT_CONFIG}: name a file with --config, or a site with --site http://host:port`,
        );
      }
      return true;
    });
}

/** The config that a command line names. */
export function withSource(options: {
  config?: string | undefined;
  site?: string | undefined;
  live?: string[] | undefined;
  listen?: string[] | undefined;
  polls?: string | undefined;
  inject?: string[] | undefined;
}): CliOptions {
  const { config, site, live = [], listen = [], polls, inject = [] } = options;
  return site === undefined
    ? { kind: 'file', file: config ?? DEFAULT_CONFIG }
    : { kind: 'flags', site, live, listen, polls, inject };
}
