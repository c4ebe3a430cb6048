import { ConfigError, checkConfig, parseConfig, readConfigText } from '../config/load.ts';
import type { Config } from '../config/schema.ts';

/** Where the config comes from. */
export type CliOptions =
  | { readonly kind: 'file'; readonly file: string }
  /** A file that has been read: what it says stays the same for all processes. */
  | { readonly kind: 'text'; readonly file: string; readonly text: string }
  | {
      readonly kind: 'flags';
      readonly site: string;
      /** `PATH=INTERVAL`, for instance `/api/status=2s`. */
      readonly live: readonly string[];
      readonly listen: readonly string[];
      /** Of all of `live`. */
      readonly polls: string | undefined;
      /** Patterns of pages that get the browser script. */
      readonly inject: readonly string[];
    };

/** What a config was read from, and may be read from again. */
export interface ReadConfig {
  readonly config: Config;
  readonly source: CliOptions;
}

/** Read the config that a command line names; a bad one is printed, and `undefined`. */
export function readOnceOrExplain(options: CliOptions): ReadConfig | undefined {
  return orExplain(() => {
    const source = readSource(options);
    return { config: readConfig(source), source };
  });
}

/** Read the config that a command line names; a bad one is printed, and `undefined`. */
export function readConfigOrExplain(options: CliOptions): Config | undefined {
  return orExplain(() => readConfig(options));
}

function orExplain<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return undefined;
  }
}

function readSource(options: CliOptions): Exclude<CliOptions, { readonly kind: 'file' }> {
  if (options.kind !== 'file') return options;
  const { file } = options;
  return { kind: 'text', file, text: readConfigText(file) };
}

/**
 * Read and check the config that a command line names.
 *
 * @throws {ConfigError} with all problems.
 */
export function readConfig(options: CliOptions): Config {
  const source = readSource(options);
  if (source.kind === 'text') {
    return parseConfig(source.text, source.file, { variables: process.env });
  }
  const { site, listen, inject, polls } = source;
  const live: [string, object][] = [];
  for (const entry of source.live) {
    const [path, every] = splitAtLast(entry, '=');
    if (!path || !every) {
      const message = `must be PATH=INTERVAL, as in --live /api/status=2s: current value is "${entry}"`;
      throw new ConfigError([{ file: '--live', line: 0, column: 0, message }]);
    }
    if (live.some(([other]) => other === path)) {
      const message = `"${path}" is given twice`;
      throw new ConfigError([{ file: '--live', line: 0, column: 0, message }]);
    }
    live.push([path, { every, ...(polls === undefined ? {} : { polls }) }]);
  }
  const listening = listen.length > 0 ? { listen } : {};
  const value = { site, live: Object.fromEntries(live), inject, ...listening };
  return checkConfig(value, 'command line');
}

function splitAtLast(text: string, separator: string): [string, string] {
  const index = text.lastIndexOf(separator);
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}
