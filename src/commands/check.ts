import type { Config, EndpointConfig } from '../config/schema.ts';
import { formatDuration } from '../config/units.ts';
import type { CliOptions } from './config.ts';
import { readConfigOrExplain } from './config.ts';
import { EXIT } from './exit.ts';

/** Check the config: print a summary, or everything that is wrong. */
export function check(options: CliOptions): number {
  const config = readConfigOrExplain(options);
  if (!config) return EXIT.config;
  printSummary(config, options);
  return EXIT.ok;
}

/** Print what a config says. */
export function printSummary(config: Config, source: CliOptions): void {
  console.log(`${source.kind === 'file' ? source.file : 'command line'}: ok`);
  console.log(`  site ${config.site.url.origin}`);
  for (const [path, { origins, rewriteUrls }] of Object.entries(config.comet)) {
    const rewriting = rewriteUrls ? ', its URLs in pages are rewritten' : '';
    console.log(`  comet ${path} from ${origins.map(({ href }) => href).join(', ')}${rewriting}`);
  }
  for (const [path, endpoints] of Object.entries(config.live)) {
    for (const endpoint of endpoints) console.log(`  live ${path} ${endpointLine(endpoint)}`);
  }
}

function endpointLine({ method, every, polls, vary, authorizedBy }: EndpointConfig): string {
  const { minMs, maxMs } = every;
  const interval =
    minMs === maxMs ? formatDuration(minMs) : `${formatDuration(minMs)}..${formatDuration(maxMs)}`;
  const by = method === 'GET' ? '' : ` by ${method}`;
  const isPublic = vary.length === 0;
  const sharing =
    authorizedBy.length > 0 ? 'one poll for all who are let in' : isPublic ? 'public' : 'private';
  return `every ${interval}${by}, ${sharing}, plain requests: ${polls}`;
}
