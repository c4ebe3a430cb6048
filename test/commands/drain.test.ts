import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startUpstream } from '../support/upstream.ts';
import { startServing } from './command.ts';

const HALF = 'half of the answer, ';
const REST = 'and the rest';

/** A site whose answer to /slow stands still after its first half, until the test goes on with it. */
async function startSlowSite(t: TestContext) {
  const held: ServerResponse[] = [];
  const site = await startUpstream(t, (req, res) => {
    if (req.url !== '/slow') return void res.setHeader('content-type', 'text/plain').end('state');
    res.writeHead(200, { 'content-length': HALF.length + REST.length });
    res.write(HALF);
    held.push(res);
  });
  return {
    url: site.url,
    finish() {
      for (const res of held) res.end(REST);
    },
  };
}

/** An answer that is still coming in. */
interface Incoming {
  readonly text: () => string;
  /** True when it came to its proper end; false when the connection broke. */
  readonly complete: Promise<boolean>;
}

/** Send a GET; resolves when some of the body is there. */
async function get(
  t: TestContext,
  url: string,
  headers: Record<string, string> = {},
): Promise<Incoming> {
  const req = request(url, { headers, agent: false });
  t.after(() => req.destroy());
  req.on('error', () => undefined);
  req.end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  let text = '';
  const complete = new Promise<boolean>((resolve) => {
    res.once('close', () => resolve(res.complete));
  });
  res.on('error', () => undefined);
  res.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(res, 'data');
  return { text: () => text, complete };
}

/** True when nobody accepts connections on the port of this URL. */
function refuses(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });
}

/** Wait until new connections are refused, which is when the proxy drains. */
async function untilRefused(url: string): Promise<void> {
  while (!(await refuses(url))) await new Promise((resolve) => setImmediate(resolve));
}

test('an open stream ends with the hint when to come back, and the process with 0', async (t) => {
  const site = await startSlowSite(t);
  const command = await startServing(t, site.url, ['--live', '/state=1s']);
  const stream = await get(t, `${command.url}/state`, { accept: 'text/event-stream' });
  while (!stream.text().includes('data: state\n\n')) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const before = stream.text().length;

  command.kill('SIGTERM');
  assert.equal(await stream.complete, true);
  assert.match(stream.text().slice(before), /^retry: ?\d+\n/m);
  assert.match(stream.text(), /\n\n$/, 'the last block is whole');
  const { code, stdout } = await command.ended;
  assert.equal(code, 0);
  assert.match(stdout, /"streams":1\b.*draining/);
});

test('an answer that is under way is finished whole', async (t) => {
  const site = await startSlowSite(t);
  const command = await startServing(t, site.url);
  const answer = await get(t, `${command.url}/slow`);
  command.kill('SIGTERM');
  await untilRefused(command.url);

  site.finish();
  assert.equal(await answer.complete, true);
  assert.equal(answer.text(), HALF + REST);
  assert.equal((await command.ended).code, 0);
});

test('while an answer is finished, new connections are refused', async (t) => {
  const site = await startSlowSite(t);
  const command = await startServing(t, site.url);
  const answer = await get(t, `${command.url}/slow`);
  assert.equal(await refuses(command.url), false);
  command.kill('SIGTERM');
  await command.output(/draining for at most 30 s/);
  await untilRefused(command.url);
  assert.equal(answer.text(), HALF, 'the answer is still under way');
  site.finish();
  await command.ended;
});

const SECOND: readonly [signal: 'SIGTERM' | 'SIGINT', code: number][] = [
  ['SIGTERM', 143],
  ['SIGINT', 130],
];
for (const [signal, exitCode] of SECOND) {
  test(`a second signal ends the process at once: ${signal} with ${exitCode}`, async (t) => {
    const site = await startSlowSite(t);
    const command = await startServing(t, site.url);
    const answer = await get(t, `${command.url}/slow`);
    command.kill('SIGTERM');
    await command.output(/draining/);
    command.kill(signal);
    const { code, stdout } = await command.ended;
    assert.equal(code, exitCode);
    assert.doesNotMatch(stdout, /stopped/);
    assert.equal(await answer.complete, false);
  });
}
