import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { answerWith, unusedPort } from '../support/raw-upstream.ts';
import { upgrade } from '../support/raw-websocket.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function viaLines(received: string): string[] {
  return received.match(/^via:.*$/gim)?.map((line) => line.slice(4).trim()) ?? [];
}

for (const lenient of [false, true]) {
  test(`a forwarded request names us in Via, behind those before us: lenient ${lenient}`, async (t) => {
    const upstream = await answerWith(t, OK);
    const proxy = await startTestProxy(t, { site: { url: upstream.url, lenient } });
    const answer = await ask(t, proxy.port, get('/', 'Via: 1.0 fred, 1.1 b.example', 'Via: 1.1 c'));
    const text = viaLines(upstream.connections[0]?.received ?? '').join(', ');
    assert.match(text, /^1\.0 fred, 1\.1 b\.example, 1\.1 c, 1\.1 comet-proxy-[0-9a-f]{8}$/);
    assert.deepEqual(answer.values('via'), [], 'answers keep their bytes');
  });

  test(`a proxy whose site is itself answers 508, and goes on: lenient ${lenient}`, async (t) => {
    const port = await unusedPort();
    const url = `http://127.0.0.1:${port}`;
    const proxy = await startTestProxy(t, { listen: `127.0.0.1:${port}`, site: { url, lenient } });
    for (const request of [get('/x', 'Connection: close'), upgrade()]) {
      const answer = await ask(t, proxy.port, request);
      assert.equal(answer.status, 508);
      assert.match(answer.body, /^LOOP_DETECTED: /);
    }
    assert.deepEqual(
      proxy.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
}

test('the version of HTTP in Via is that of the request', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  await ask(t, proxy.port, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n');
  assert.match(viaLines(upstream.connections[0]?.received ?? '').join(), /^1\.0 comet-proxy-/);
});

test('two proxies in a circle are told apart, and end it', async (t) => {
  const port = await unusedPort();
  const second = await startTestProxy(t, { site: `http://127.0.0.1:${port}` });
  const first = await startTestProxy(t, { listen: `127.0.0.1:${port}`, site: second.url });
  const answer = await ask(t, first.port, get('/x', 'Connection: close'));
  assert.equal(answer.status, 508);
});

test('two proxies in a row are no circle', async (t) => {
  const upstream = await answerWith(t, OK);
  const inner = await startTestProxy(t, { site: upstream.url });
  const outer = await startTestProxy(t, { site: inner.url });
  assert.equal((await ask(t, outer.port, get())).body, 'ok');
  const names = viaLines(upstream.connections[0]?.received ?? '');
  assert.equal(new Set(names).size, 2);
});

test('a mount that leads back to the proxy is a loop', async (t) => {
  const upstream = await answerWith(t, OK);
  const port = await unusedPort();
  const comet = { '/push': `http://127.0.0.1:${port}/push/` };
  const proxy = await startTestProxy(t, { listen: `127.0.0.1:${port}`, site: upstream.url, comet });
  assert.equal((await ask(t, proxy.port, get('/push/x', 'Connection: close'))).status, 508);
});

test('"via: false" says nothing, and passes what others said', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url, via: false });
  await ask(t, proxy.port, get('/', 'Via: 1.0 fred'));
  await ask(t, proxy.port, get('/'));
  const received = upstream.connections.map((peer) => peer.received).join('');
  assert.deepEqual(viaLines(received), ['1.0 fred']);
});

test('polls of a live endpoint name us too', async (t) => {
  const upstream = await answerWith(
    t,
    `${OK.slice(0, 17)}Content-Type: text/plain\r\n${OK.slice(17)}`,
  );
  const live = { '/state': { every: '1m', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  await ask(t, proxy.port, get('/state', 'Accept: text/event-stream', 'Connection: close'), 'HEAD');
  const site = await upstream.connection(0);
  assert.match(viaLines(await site.receive('\r\n\r\n')).join(), /^1\.1 comet-proxy-/);
});

for (const [method, sent, passed] of [
  ['GET', '5', '5'], // means nothing there (RFC 9110 §7.6.2)
  ['GET', '0', '0'],
  ['OPTIONS', '5', '4'],
  ['OPTIONS', '1', '0'],
  ['GET', 'x', 'x'],
  ['GET', '99999999999999999999', '99999999999999999999'],
] as const) {
  test(`Max-Forwards of ${method} goes from ${sent} to ${passed}`, async (t) => {
    const upstream = await answerWith(t, OK);
    const proxy = await startTestProxy(t, { site: upstream.url });
    await ask(t, proxy.port, get('/', `Max-Forwards: ${sent}`).replace('GET', method));
    const received = upstream.connections[0]?.received ?? '';
    assert.deepEqual(/^max-forwards:\s*(.*)$/im.exec(received)?.[1]?.trim(), passed);
  });
}
