import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { startListener } from '../support/listener.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';

const post = (...lines: string[]) => get('/', ...lines).replace('GET', 'POST');
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

for (const value of ['200-ok', '100-continue, 200-ok', '100-continued', '""']) {
  test(`an expectation that cannot be met is refused: ${value}`, async (t) => {
    const listener = await startListener(t);
    const answer = await ask(t, listener.port, post(`Expect: ${value}`, 'Content-Length: 3'));
    assert.equal(answer.status, 417);
    assert.match(answer.body, /^EXPECTATION_FAILED: /);
    assert.deepEqual(answer.values('connection'), ['close']);
    assert.deepEqual(listener.peers, []);
  });
}

test('a client that waits to be told to go on is told when its body is wanted', async (t) => {
  let held: ServerResponse | undefined;
  const listener = await startListener(t, {
    onRequest(req, res) {
      held = res;
      req.on('data', (chunk) => res.end(`got ${chunk}`));
    },
  });
  const client = connectRaw(t, listener.port);
  client.send(post('Expect: 100-Continue', 'Content-Length: 3'));
  await until(() => held !== undefined);
  assert.equal(client.received, '', 'not before');
  held?.writeContinue();
  await client.receive(CONTINUE);
  client.send('abc');
  const from = CONTINUE.length;
  const answer = await readAnswer(client, { from });
  assert.equal(answer.body, 'got abc');
  assert.notDeepEqual(answer.values('connection'), ['close']);
  client.send(get());
  await until(() => listener.peers.length === 2);
});

test('a request that is refused without its body is the last one of its connection', async (t) => {
  const listener = await startListener(t, {
    onRequest: (_req, res) => void res.writeHead(413, { 'content-length': '0' }).end(),
  });
  const client = connectRaw(t, listener.port);
  client.send(post('Expect: 100-continue', 'Content-Length: 1000'));
  const answer = await readAnswer(client);
  assert.deepEqual([answer.status, answer.values('connection')], [413, ['close']]);
  client.send(get('/smuggled'));
  await client.closed;
  assert.equal(listener.peers.length, 1);
});

test('HTTP/1.0 knows no expectations', async (t) => {
  const listener = await startListener(t);
  const request = 'POST / HTTP/1.0\r\nExpect: anything\r\nContent-Length: 3\r\n\r\nabc';
  assert.equal((await ask(t, listener.port, request)).body, 'ok');
});
