import { askAdmin } from './admin-client.ts';
import type { CliOptions } from './config.ts';
import { readConfigOrExplain } from './config.ts';
import { EXIT } from './exit.ts';

/** Let the running proxy poll URLs now, for all their clients. Resolves with the exit code. */
export async function refresh(source: CliOptions, urls: readonly string[]): Promise<number> {
  const config = readConfigOrExplain(source);
  if (!config) return EXIT.config;
  if (!config.admin) {
    console.error('comet-proxy: the config has no "admin", so the running proxy cannot be told');
    return EXIT.unavailable;
  }
  const query = new URLSearchParams(urls.map((url): [string, string] => ['url', url]));
  const reply = await askAdmin(config.admin, { path: `/_comet/refresh?${query}` });
  if (reply.kind !== 'answered') {
    console.error(`comet-proxy: ${reply.message}`);
    return reply.kind === 'refused' && reply.status === 400 ? EXIT.usage : EXIT.unavailable;
  }
  const { channels } = { ...(reply.value as { channels?: unknown } | null) };
  if (typeof channels !== 'number') {
    console.error('comet-proxy: the running proxy speaks another language');
    return EXIT.unavailable;
  }
  console.log(`${channels} ${channels === 1 ? 'channel is' : 'channels are'} polled now`);
  return EXIT.ok;
}
