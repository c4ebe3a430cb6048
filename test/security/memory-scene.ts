import type { TestContext } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { HANDSHAKE } from '../support/raw-websocket.ts';
import { openLines } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';

export const MIB = 1_024 * 1_024;

/** A site whose states are as large as their query says: `/x?bytes=1000`. */
export async function startSized(t: TestContext, limits: object, endpoint: object = {}) {
  const clock = createFakeClock();
  let version = 1;
  const site = await startUpstream(t, (req, res) => {
    const bytes = Number(/bytes=(\d+)/.exec(req.url ?? '')?.[1] ?? 0);
    if (req.method === 'POST') version += 1;
    const body = JSON.stringify({ version, filling: 'x'.repeat(bytes) });
    res.setHeader('content-type', 'application/json').end(body);
  });
  const live = {
    '/x': { every: '1h', timeout: '24h', vary: [], maxBody: '64MiB', linger: '5s', ...endpoint },
  };
  const proxy = await startTestProxy(t, { site: site.url, live, limits }, clock);
  const host = { host: new URL(proxy.url).host };
  return {
    clock,
    site,
    proxy,
    /** A stream of lines; the version of each state is what tests compare. */
    async open(query: string) {
      const lines = await openLines<{ event: string; data: { version?: number; code?: string } }>(
        t,
        `${proxy.url}/_comet/stream?url=${encodeURIComponent(`/x?${query}`)}`,
        host,
      );
      return {
        close: () => lines.close(),
        async next() {
          const { event, data } = await lines.next();
          return `${event} ${data.version ?? data.code ?? ''}`.trim();
        },
      };
    },
    /** A client that reads large states, of which it only counts how many came whole. */
    async drink(query: string): Promise<{ readonly states: number }> {
      const answer = await fetch(
        `${proxy.url}/_comet/stream?url=${encodeURIComponent(`/x?${query}`)}`,
      );
      const drinker = { states: 0 };
      const count = async () => {
        let end = '';
        for await (const chunk of answer.body ?? []) {
          end = (end + Buffer.from(chunk.subarray(-2)).toString('latin1')).slice(-2);
          // One at a time is under way; empty lines are heartbeats.
          if (end === '}\n') drinker.states += 1;
        }
      };
      count().catch(() => undefined); // the test is over
      return drinker;
    },
    /** A client that asks, and reads no more than the head of the answer. */
    async stall(query: string, transport = 'stream'): Promise<RawPeer> {
      const peer = connectRaw(t, proxy.port);
      const target = `/_comet/${transport}?url=${encodeURIComponent(`/x?${query}`)}`;
      const lines = [`GET ${target} HTTP/1.1`, `Host: ${host.host}`];
      if (transport === 'ws') lines.push(...HANDSHAKE);
      peer.send([...lines, '', ''].join('\r\n'));
      await peer.receive(/^HTTP\/1\.1 (?:101|200)/);
      peer.socket.pause();
      return peer;
    },
    /** Let every state become another one, and be polled. */
    async change(): Promise<void> {
      await (await fetch(`${proxy.url}/x`, { method: 'POST' })).arrayBuffer();
      await clock.advance(200);
    },
    surface: (query: string, transport = 'stream', init: RequestInit = {}) =>
      fetch(`${proxy.url}/_comet/${transport}?url=${encodeURIComponent(`/x?${query}`)}`, init),
    warnings: () =>
      proxy.lines.filter(({ level }) => level === 'warn').map(({ message }) => message),
  };
}
