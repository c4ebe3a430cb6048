import { ConfigError } from '../config/load.ts';
import { formatDuration } from '../config/units.ts';
import type { CliOptions } from './config.ts';
import { readConfig } from './config.ts';
import { EXIT } from './exit.ts';

/** Check the config: print a summary, or everything that is wrong. */
export function check(options: CliOptions): number {
  try {
    const config = readConfig(options);
    console.log(`${options.kind === 'file' ? options.file : 'command line'}: ok`);
    console.log(`  site ${config.site.url.origin}`);
    for (const [path, { every, polls, vary }] of Object.entries(config.live)) {
      const { minMs, maxMs } = every;
      const interval =
        minMs === maxMs
          ? formatDuration(minMs)
          : `${formatDuration(minMs)}..${formatDuration(maxMs)}`;
      const sharing = vary.length === 0 ? 'public' : 'private';
      console.log(`  live ${path} every ${interval}, ${sharing}, plain requests: ${polls}`);
    }
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return EXIT.config;
  }
}
