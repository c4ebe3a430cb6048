import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { answerWith, startRawUpstream } from '../support/raw-upstream.ts';
import { ACCEPT, beginHandshake, switching, upgrade } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { begin, bugs, failures } from './both-ends.ts';

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\n';
const GOOD = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${ACCEPT}`];

const BAD: Record<string, readonly string[]> = {
  'no Accept': GOOD.slice(0, 2),
  'the Accept of another key': [
    ...GOOD.slice(0, 2),
    'Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=',
  ],
  'an Accept in other letters': [
    ...GOOD.slice(0, 2),
    `Sec-WebSocket-Accept: ${ACCEPT.toLowerCase()}`,
  ],
  'no Upgrade': GOOD.slice(1),
  'another Upgrade': ['Upgrade: h2c', ...GOOD.slice(1)],
  'no Connection': ['Upgrade: websocket', `Sec-WebSocket-Accept: ${ACCEPT}`],
  'another Connection': [
    'Upgrade: websocket',
    'Connection: close',
    `Sec-WebSocket-Accept: ${ACCEPT}`,
  ],
  nothing: [],
};

for (const [name, lines] of Object.entries(BAD)) {
  test(`a 101 that does not answer the handshake is a 502: ${name}`, async (t) => {
    const { client, site, proxy } = await begin(t, `${upgrade()}GET /smuggled HTTP/1.1\r\n\r\n`);
    site.send(`${[SWITCHING.trim(), ...lines].join('\r\n')}\r\n\r\n`);
    const answer = await readAnswer(client);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /^UPSTREAM_(?:INVALID|RESET): /);
    await site.closed;
    assert.doesNotMatch(site.received, /smuggled/, 'what the client sent behind it stays here');
    assert.equal(failures(proxy).length, 1);
    assert.deepEqual(bugs(proxy), []);
  });
}

test('names and tokens of a 101 may be in other letters, among others', async (t) => {
  const { client, site } = await begin(t, upgrade());
  site.send(
    `${SWITCHING}upgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\nSEC-WEBSOCKET-ACCEPT: ${ACCEPT}\r\n\r\n`,
  );
  assert.equal((await readAnswer(client)).status, 101);
});

test('the headers of a 101 pass with duplicates and bytes, less what is hop-by-hop', async (t) => {
  const { client, site } = await beginHandshake(t);
  const lines = [
    'Set-Cookie: a=caf\xe9',
    'Set-Cookie: b=2',
    'X-zEta: 1',
    'Sec-WebSocket-Extensions: a; b="c"',
  ];
  site.send(
    switching(
      ...lines,
      'Keep-Alive: timeout=1',
      'X-Accel-Redirect: /x',
      'Transfer-Encoding: chunked',
    ),
  );
  const answer = await readAnswer(client);
  const all = answer.headers.map(([name, value]) => `${name}: ${value}`);
  assert.deepEqual(
    all.filter((line) => lines.includes(line)),
    lines,
  );
  assert.doesNotMatch(all.join('\n'), /keep-alive|x-accel|transfer-encoding/i);
});

const REFUSALS: Record<string, string> = {
  'a length': 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno',
  chunks: 'HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
  'the end of the connection': 'HTTP/1.1 403 No\r\n\r\nno',
  'HTTP/1.0': 'HTTP/1.0 403 No\r\n\r\nno',
  'nothing, 204': 'HTTP/1.1 204 No\r\n\r\n',
  'nothing, 304': 'HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\n',
  'nothing, a redirect': 'HTTP/1.1 302 No\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n',
};

for (const [framing, bytes] of Object.entries(REFUSALS)) {
  test(`a refused upgrade is answered whole, and its connection ends: ${framing}`, async (t) => {
    const { client, site, proxy } = await begin(t, upgrade());
    site.send(bytes);
    site.socket.end();
    const answer = await readAnswer(client);
    assert.deepEqual(
      [answer.status, answer.isWhole, answer.rest],
      [Number(bytes.slice(9, 12)), true, ''],
    );
    assert.equal(answer.body, /403/.test(bytes) ? 'no' : '');
    assert.deepEqual(answer.values('connection'), ['close']);
    assert.equal(await client.closed, 'end');
    assert.deepEqual(bugs(proxy), []);
  });
}

for (const side of ['client', 'site'] as const) {
  for (const phase of ['before the 101', 'with the 101', 'while bytes pass both ways'] as const) {
    test(`a reset of the ${side} ${phase} ends the other side, and nothing else`, async (t) => {
      const { client, site, proxy } = await begin(t, upgrade());
      const [one, other] = side === 'client' ? [client, site] : [site, client];
      if (phase !== 'before the 101') site.send(switching());
      if (phase === 'while bytes pass both ways') {
        await client.receive('\r\n\r\n');
        for (const peer of [client, site]) peer.send(Buffer.alloc(3_000_000, 'x'));
        await other.receive('xxx');
      }
      one.reset();
      await other.closed;
      assert.equal(
        (await ask(t, proxy.port, 'GET /_comet/none HTTP/1.1\r\nHost: a\r\n\r\n')).status,
        404,
      );
      assert.deepEqual(bugs(proxy), []);
    });
  }
}

test('a client that does not read its tunnel stops the site from being read, and no other', async (t) => {
  const { client, site, proxy } = await beginHandshake(t);
  site.send(switching());
  await client.receive('\r\n\r\n');
  client.socket.pause();
  const chunk = Buffer.alloc(1_024 * 1_024);
  let sent = 0;
  // Until the site's own kernel takes no more: the proxy must not take it all.
  while (site.socket.write(chunk) || (await drained(site.socket))) {
    sent += 1;
    assert.ok(sent < 64, 'the proxy keeps what its client does not read');
  }
  assert.equal(
    (await ask(t, proxy.port, 'GET /_comet/none HTTP/1.1\r\nHost: a\r\n\r\n')).status,
    404,
  );
});

test('a tunnel is in the access log when it is over, as a 101', async (t) => {
  const { client, site, proxy } = await begin(t, upgrade('/ws?a=1'), {
    config: { log: { access: 'json' } },
  });
  site.send(switching());
  await client.receive('\r\n\r\n');
  site.send('x'.repeat(1_000));
  await client.receive('x'.repeat(1_000));
  const lines = () => proxy.lines.filter(({ message }) => message === 'request');
  assert.equal(lines().length, 0);
  client.socket.end();
  await until(() => lines().length > 0);
  const fields = lines()[0]?.fields ?? {};
  assert.deepEqual([fields['status'], fields['method'], fields['url']], [101, 'GET', '/ws?a=1']);
  assert.ok(Number(fields['bytes']) > 1_000);
});

test('a refused upgrade is in the access log with its status', async (t) => {
  const upstream = await answerWith(t, 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
  const proxy = await startTestProxy(t, { site: upstream.url, log: { access: 'json' } });
  await ask(t, proxy.port, upgrade());
  await until(() => proxy.lines.some(({ message }) => message === 'request'));
  const statuses = proxy.lines
    .filter(({ message }) => message === 'request')
    .map(({ fields }) => fields['status']);
  assert.deepEqual(statuses, [403]);
});

test('a drain waits for a moment of silence in a tunnel', async (t) => {
  const clock = createFakeClock();
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url, limits: { drain: '60s' } }, clock);
  const client = connectRaw(t, proxy.port);
  client.send(upgrade());
  const site = await upstream.connection(0);
  await site.receive('\r\n\r\n');
  site.send(switching());
  await client.receive('\r\n\r\n');
  client.send('one');
  await site.receive('one');
  const drained = proxy.drain();
  for (const word of ['two', 'three', 'four']) {
    await clock.advance(200);
    assert.equal(client.socket.readyState, 'open', `before ${word}`);
    site.send(word);
    await client.receive(word);
  }
  await clock.advance(1_000);
  assert.equal(await client.closed, 'end');
  await site.closed;
  assert.ok(client.received.endsWith('four'));
  await drained;
});

test('a drain ends a tunnel that is never silent when its time is over', async (t) => {
  const clock = createFakeClock();
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url, limits: { drain: '10s' } }, clock);
  const client = connectRaw(t, proxy.port);
  client.send(upgrade());
  const site = await upstream.connection(0);
  await site.receive('\r\n\r\n');
  site.send(switching());
  await client.receive('\r\n\r\n');
  const drained = proxy.drain();
  for (let i = 0; i < 44; i++) {
    site.send(`word${i};`);
    await client.receive(`word${i};`);
    await clock.advance(200);
  }
  assert.equal(client.socket.readyState, 'open');
  site.send('last');
  await client.receive('last');
  await clock.advance(500);
  await client.closed;
  await drained;
});

/** True when the socket takes more within a while; false when it is stuck. */
function drained(socket: {
  once(event: 'drain', listener: () => void): unknown;
}): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 500);
    socket.once('drain', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
