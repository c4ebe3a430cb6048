import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { startUpstream } from '../support/upstream.ts';

const MIB = 1_024 * 1_024;
const TOTAL = 160 * MIB;
/** Kernel buffers of two loopback connections, and some of ours. */
const MOST_IN_FLIGHT = 60 * MIB;
const CHUNK = Buffer.alloc(256 * 1_024, 'x');

/** Write `TOTAL` bytes as fast as the stream takes them; `sent()` is how many it took. */
function pour(out: Writable): { sent(): number; readonly done: Promise<void> } {
  let written = 0;
  const run = async () => {
    for (; written < TOTAL; written += CHUNK.length) {
      if (!out.write(CHUNK)) await once(out, 'drain');
    }
    out.end();
  };
  return { done: run(), sent: () => written };
}

/** Resolves when a count has not moved for a while. On a slow machine it is only more lenient. */
async function settled(count: () => number): Promise<number> {
  for (;;) {
    const before = count();
    await new Promise((resolve) => setTimeout(resolve, 400));
    if (count() === before && before > 0) return before;
  }
}

async function countBytes(stream: AsyncIterable<unknown>): Promise<number> {
  let total = 0;
  for await (const chunk of stream) total += (chunk as Buffer).length;
  return total;
}

test('a client that does not read stops the site from being read', async (t) => {
  let pouring: ReturnType<typeof pour> | undefined;
  const upstream = await startUpstream(t, (_req, res) => {
    pouring = pour(res);
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  const req = request(`${proxy.url}/big`, { agent: false }).end();
  t.after(() => req.destroy());
  const [res] = (await once(req, 'response')) as [IncomingMessage];

  const sent = await settled(() => pouring?.sent() ?? 0);
  assert.ok(sent < MOST_IN_FLIGHT, `${sent / MIB} MiB were taken from the site`);
  assert.equal(await countBytes(res), TOTAL, 'the rest comes when it is read');
});

test('a site that does not read stops the client from being read', async (t) => {
  let incoming: IncomingMessage | undefined;
  const upstream = await startUpstream(t, (upload, res) => {
    incoming = upload;
    upload.once('end', () => res.end('thanks'));
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  const req = request(`${proxy.url}/big`, { method: 'POST', agent: false });
  t.after(() => req.destroy());
  const answered = once(req, 'response') as Promise<[IncomingMessage]>;
  const pouring = pour(req);

  const sent = await settled(pouring.sent);
  assert.ok(sent < MOST_IN_FLIGHT, `${sent / MIB} MiB were taken from the client`);
  assert.ok(incoming);
  assert.equal(await countBytes(incoming), TOTAL, 'the rest goes when it is read');
  await pouring.done;
  const [res] = await answered;
  assert.equal(res.statusCode, 200);
});
