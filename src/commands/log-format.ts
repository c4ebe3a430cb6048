import type { Config } from '../config/schema.ts';

/** How to log where the config leaves it open. */
export function logFormat({ log }: Pick<Config, 'log'>): 'pretty' | 'json' {
  return log.format ?? (process.stdout.isTTY ? 'pretty' : 'json');
}
