import { formatDuration } from '../config/units.ts';
import type { CliOptions } from './config.ts';
import { readConfigOrExplain } from './config.ts';
import { EXIT } from './exit.ts';

/** Check the config: print a summary, or everything that is wrong. */
export function check(options: CliOptions): number {
  const config = readConfigOrExplain(options);
  if (!config) return EXIT.config;
  console.log(`${options.kind === 'file' ? options.file : 'command line'}: ok`);
  console.log(`  site ${config.site.url.origin}`);
  for (const [path, { origins, rewriteUrls }] of Object.entries(config.comet)) {
    const rewriting = rewriteUrls ? ', its URLs in pages are rewritten' : '';
    console.log(`  comet ${path} from ${origins.map(({ href }) => href).join(', ')}${rewriting}`);
  }
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
}
