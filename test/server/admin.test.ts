import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { test } from 'node:test';
import type { AdminRoute } from '../../src/server/admin-route.ts';
import { jsonAnswer } from '../../src/server/admin-route.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import {
  AUTHORIZED,
  codeOf,
  JSON_BODY,
  post,
  socketPath,
  startAdmin,
  TOKEN,
} from './admin-scene.ts';

const hello: AdminRoute = {
  method: 'GET',
  path: '/hello',
  needsToken: false,
  maxBodyBytes: 0,
  handler: ({ query }) => jsonAnswer(200, { hello: query.get('name') }),
};
const local = (target: string, ...lines: string[]) =>
  get(target, ...lines).replace('site.test', 'localhost');

test('it says where it listens', async (t) => {
  const admin = await startAdmin(t);
  assert.match(admin.url, /^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
});

test('a route of the table is answered with its query, as JSON that nobody keeps', async (t) => {
  const admin = await startAdmin(t, { routes: [hello] });
  const answer = await admin.ask(local('/hello?name=w%20x'));
  assert.equal(answer.status, 200);
  assert.equal(answer.body, '{"hello":"w x"}\n');
  assert.deepEqual(answer.values('content-type'), ['application/json']);
  assert.deepEqual(answer.values('cache-control'), ['no-store']);
  assert.deepEqual(answer.values('x-content-type-options'), ['nosniff']);
  assert.deepEqual(answer.values('content-length'), ['16']);
});

test('a route may say another content type and headers of its own', async (t) => {
  const headers = { 'content-type': 'text/plain', 'cache-control': 'max-age=1' };
  const text: AdminRoute = { ...hello, handler: () => ({ status: 200, headers, body: 'ü' }) };
  const answer = await (await startAdmin(t, { routes: [text] })).ask(local('/hello'));
  assert.deepEqual(answer.values('content-type'), ['text/plain']);
  assert.deepEqual(answer.values('cache-control'), ['max-age=1']);
  assert.equal(Buffer.from(answer.body, 'latin1').toString(), 'ü');
});

test('HEAD of a route for GET is answered without the body', async (t) => {
  const admin = await startAdmin(t, { routes: [hello] });
  const answer = await admin.ask(local('/hello').replace('GET', 'HEAD'));
  assert.deepEqual([answer.status, answer.values('content-length')], [200, ['15']]);
  assert.equal(answer.rest, '');
});

test('a path that is none of ours is 404, however near it is', async (t) => {
  const admin = await startAdmin(t, { routes: [hello] });
  const others = ['/', '/hello/', '/Hello', '//hello', '/x/..%2fhello', '/x/../hello', '/%68ello'];
  for (const target of [...others, 'http://localhost/hello', '*']) {
    const answer = await admin.ask(local(target));
    assert.deepEqual([answer.status, codeOf(answer)], [404, 'NOT_FOUND'], target);
    assert.deepEqual(answer.values('cache-control'), ['no-store']);
  }
});

test('another method is 405 and told which ones are allowed', async (t) => {
  const also: AdminRoute = { ...hello, path: '/both' };
  const routes = [hello, also, { ...also, method: 'POST' } as const];
  const admin = await startAdmin(t, { routes });
  for (const [request, allow] of [
    [local('/hello').replace('GET', 'DELETE'), 'GET, HEAD'],
    [local('/hello').replace('GET', 'OPTIONS'), 'GET, HEAD'],
    [local('/both').replace('GET', 'PUT'), 'GET, HEAD, POST'],
  ] as const) {
    const answer = await admin.ask(request);
    assert.deepEqual([answer.status, answer.values('allow')], [405, [allow]]);
    assert.equal(codeOf(answer), 'METHOD_NOT_ALLOWED');
  }
});

test('a handler that fails is a bug: 500 without a detail, which the log has', async (t) => {
  const detail = 'cannot read /etc/secret';
  for (const handler of [
    () => {
      throw new Error(detail);
    },
    () => Promise.reject(new Error(detail)),
  ]) {
    const admin = await startAdmin(t, { routes: [{ ...hello, handler }] });
    const answer = await admin.ask(local('/hello'));
    assert.deepEqual([answer.status, codeOf(answer)], [500, 'INTERNAL']);
    assert.doesNotMatch(answer.body, /secret/);
    const [line] = admin.lines.filter(({ level }) => level === 'error');
    assert.match(String(line?.fields['err']), /cannot read/);
  }
});

test('a connection carries one request after the other', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN, routes: [hello] });
  const peer = connectRaw(t, admin.port);
  peer.send(local('/hello?name=1'));
  assert.equal((await readAnswer(peer)).status, 401);
  const from = peer.received.length;
  peer.send(local('/hello?name=2', AUTHORIZED));
  assert.match((await readAnswer(peer, { from })).body, /"2"/);
});

test('a unix socket is for its owner alone, and needs no token', async (t) => {
  const path = socketPath(t);
  const admin = await startAdmin(t, { path });
  assert.equal(admin.url, `unix:${path}`);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal((await admin.ask(post('/_comet/refresh?url=/a'))).status, 202);
  await admin.close();
  assert.equal(existsSync(path), false);
});

test('a token that is set is needed on a unix socket too', async (t) => {
  const admin = await startAdmin(t, { path: socketPath(t), token: TOKEN });
  assert.equal((await admin.ask(post('/_comet/refresh?url=/a'))).status, 401);
  assert.equal((await admin.ask(post('/_comet/refresh?url=/a', [AUTHORIZED]))).status, 202);
});

test('over a unix socket the Host may be anything, or absent', async (t) => {
  const admin = await startAdmin(t, { path: socketPath(t), routes: [hello] });
  assert.equal((await admin.ask(get('/hello', 'Connection: close'))).status, 200);
  assert.equal((await admin.ask('GET /hello HTTP/1.0\r\n\r\n')).status, 200);
});

test('a socket file that a dead process left is replaced, that of a living one is not', async (t) => {
  const path = socketPath(t);
  const killItself = () => process.kill(process.pid, 'SIGKILL');
  const listenAndDie = `require('node:net').createServer().listen(${JSON.stringify(path)}, ${killItself})`;
  spawnSync(process.execPath, ['-e', listenAndDie]);
  assert.ok(statSync(path).isSocket());
  const first = await startAdmin(t, { path, routes: [hello] });
  await assert.rejects(startAdmin(t, { path }), { code: 'EADDRINUSE' });
  assert.equal((await first.ask(local('/hello'))).status, 200, 'the first one goes on');
});

test('an address that is taken is an error, and not the end of the process', async (t) => {
  const { port } = await startAdmin(t);
  const { openAdmin } = await import('../../src/server/admin.ts');
  const { systemClock } = await import('../../src/shared/clock.ts');
  const { silentLogger } = await import('../../src/shared/logger.ts');
  const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
  const options = { routes: [], clock: systemClock, log: silentLogger };
  await assert.rejects(openAdmin({ address }, options), { code: 'EADDRINUSE' });
});

test('when it closes, the answer that is under way is finished', async (t) => {
  let finish: () => void = () => undefined;
  const answering = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let isAsked = false;
  const slow: AdminRoute = {
    ...hello,
    async handler() {
      isAsked = true;
      await answering;
      return jsonAnswer(200, 'late');
    },
  };
  const admin = await startAdmin(t, {
    routes: [slow],
    times: { graceMs: 3_600_000, idleMs: 3_600_000 },
  });
  const answer = admin.ask(local('/hello'));
  await until(() => isAsked);
  const closed = admin.close();
  finish();
  assert.equal((await answer).body, '"late"\n');
  await closed;
  const late = connectRaw(t, admin.port);
  assert.equal(await late.closed, 'reset', 'nothing new is accepted');
});

test('when it closes, questions that do not end are cut after a while', async (t) => {
  const times = { graceMs: 20, headersMs: 3_600_000, requestMs: 3_600_000 };
  const admin = await startAdmin(t, { times });
  const peer = connectRaw(t, admin.port);
  const lines = [JSON_BODY, 'Expect: 100-continue'];
  peer.send(post('/_comet/explain', lines).replace('Length: 0', 'Length: 10'));
  await peer.receive('100 Continue'); // so it has begun
  await admin.close();
  await peer.closed;
});

test('bodies are read to their end and ignored where nobody wants them', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN });
  const peer = connectRaw(t, admin.port);
  const body = 'x'.repeat(500_000);
  const request = post('/_comet/refresh?url=/a', [AUTHORIZED], body);
  peer.send(request.replace('Connection: close\r\n', ''));
  assert.equal((await readAnswer(peer)).status, 202);
  const from = peer.received.length;
  peer.send(post('/_comet/refresh?url=/b', [AUTHORIZED]));
  assert.equal((await readAnswer(peer, { from })).status, 202);
  assert.deepEqual(admin.refreshed, ['/a', '/b']);
});

test('a question may come in pieces', async (t) => {
  const admin = await startAdmin(t);
  const peer = connectRaw(t, admin.port);
  const request = post('/_comet/explain', [JSON_BODY], JSON.stringify({ url: '/a' }));
  peer.send(request.slice(0, -5));
  await until(() => peer.socket.bytesWritten === request.length - 5);
  peer.send(request.slice(-5));
  assert.equal((await readAnswer(peer)).status, 200);
});
