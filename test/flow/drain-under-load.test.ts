import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { handSocketOver } from '../support/handed-socket.ts';
import { until } from '../support/until.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

const BODY = 'x'.repeat(10_000);
const CLIENTS = 8;

/** A site that takes a moment, so that there is always a request under way. */
function startSite(t: TestContext): Promise<Upstream> {
  return startUpstream(t, (_req, res) => void setTimeout(() => res.end(BODY), 3));
}

/** Send one request; resolves with the status and whether the whole body came. */
async function ask(port: number, agent: Agent, method: string): Promise<string> {
  const req = request({ port, host: '127.0.0.1', path: '/', method, agent }).end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  let bytes = 0;
  res.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(res, 'end');
  return `${res.statusCode} ${bytes}`;
}

test('a process that hands over to another one loses no request', async (t) => {
  const [oldSite, newSite] = [await startSite(t), await startSite(t)];
  const { port, processes } = await handSocketOver(t, [oldSite.url, newSite.url]);
  const [predecessor] = processes;
  const outcomes = new Map<string, number>();
  let isOver = false;
  let answered = 0;

  async function client(method: string): Promise<void> {
    while (!isOver) {
      // A connection for many requests, and not always the same one.
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let i = 0; i < 20 && !isOver; i++) {
        const outcome = await ask(port, agent, method).catch((error: Error) => error.message);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        answered += 1;
      }
      agent.destroy();
    }
  }
  // A POST is not sent again by anybody, wherever it is lost.
  const clients = Array.from({ length: CLIENTS }, (_, i) => client(i % 2 === 0 ? 'POST' : 'GET'));
  try {
    await until(() => oldSite.requests.length > 50 && newSite.requests.length > 50);
    const before = oldSite.requests.length;
    predecessor?.kill('SIGTERM');
    const { code, output } = (await predecessor?.ended) ?? {};
    assert.equal(code, 0, output);
    assert.match(output ?? '', /"stopped"/);
    assert.ok(oldSite.requests.length >= before);
    const atEnd = answered;
    await until(() => answered > atEnd + 100);
  } finally {
    isOver = true;
    await Promise.all(clients);
  }
  assert.deepEqual([...outcomes.keys()], [`200 ${BODY.length}`], JSON.stringify([...outcomes]));
});
