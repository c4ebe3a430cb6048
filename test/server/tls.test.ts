import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { createCertificate } from '../support/certificate.ts';
import type { TestListener } from '../support/listener.ts';
import { SAFE_NODE, startListener } from '../support/listener.ts';
import { proxyV2 } from '../support/proxy-v2.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw, watchSocket } from '../support/raw-peer.ts';

/** Shake hands with a listener; whose certificate it is the test says. */
async function shake(
  t: TestContext,
  port: number,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  return socket;
}

async function nameFor(t: TestContext, { port }: TestListener, servername?: string) {
  const socket = await shake(t, port, servername === undefined ? {} : { servername });
  return socket.getPeerCertificate().subject.CN;
}

const listenOn = (tls: unknown, more: object = {}) => ({ address: '127.0.0.1:0', tls, ...more });

test('requests over TLS come from an encrypted peer', async (t) => {
  const tls = createCertificate(t);
  const listener = await startListener(t, { listen: listenOn(tls) });
  assert.match(listener.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  const socket = await shake(t, listener.port, {
    ca: readFileSync(tls.cert),
    servername: 'localhost',
  });
  assert.equal(socket.authorizationError, null);
  const client = watchSocket(socket);
  client.send(get());
  assert.equal((await readAnswer(client)).body, 'ok');
  assert.deepEqual(listener.peers, [{ address: '127.0.0.1', isEncrypted: true }]);
});

test('each client gets the certificate of the host that it asks for, else the first', async (t) => {
  const tls = [['one.test'], ['two.test', 'zwei.test'], ['*.three.test']].map((names) =>
    createCertificate(t, names),
  );
  const listener = await startListener(t, { listen: listenOn(tls) });
  const asked: Record<string, string> = {
    'one.test': 'one.test',
    'two.test': 'two.test',
    'ZWEI.test': 'two.test',
    'a.three.test': '*.three.test',
    'A.Three.TEST': '*.three.test',
    'a.b.three.test': 'one.test',
    'three.test': 'one.test',
    'other.test': 'one.test',
  };
  for (const [servername, name] of Object.entries(asked)) {
    assert.equal(await nameFor(t, listener, servername), name, servername);
  }
  assert.equal(await nameFor(t, listener), 'one.test', 'without a name');
});

test('no protocol below TLS 1.2 is spoken', async (t) => {
  const listener = await startListener(t, { listen: listenOn(createCertificate(t)) });
  const options = {
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
    ciphers: 'ALL:@SECLEVEL=0',
  } as const;
  await assert.rejects(shake(t, listener.port, options), /protocol version|unsupported protocol/i);
  const socket = await shake(t, listener.port, { maxVersion: 'TLSv1.2' });
  assert.equal(socket.getProtocol(), 'TLSv1.2');
});

test('only HTTP/1.1 is offered without "http2"', async (t) => {
  const listener = await startListener(t, {
    listen: listenOn(createCertificate(t)),
    nodeVersion: SAFE_NODE,
  });
  const socket = await shake(t, listener.port, { ALPNProtocols: ['h2', 'http/1.1'] });
  assert.equal(socket.alpnProtocol, 'http/1.1');
  await assert.rejects(
    shake(t, listener.port, { ALPNProtocols: ['h2'] }),
    /no application protocol/i,
  );
});

test('"http2" on a Node with known holes is one warning, and HTTP/1.1', async (t) => {
  const listen = listenOn(createCertificate(t), { http2: true });
  const listener = await startListener(t, { listen, nodeVersion: '20.20.2' });
  const socket = await shake(t, listener.port, { ALPNProtocols: ['h2', 'http/1.1'] });
  assert.equal(socket.alpnProtocol, 'http/1.1');
  const warnings = listener.lines.filter(({ level }) => level === 'warn');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]?.message ?? '', /Node 20\.20\.2 .*22\.\d+\.\d+.*24\.\d+\.\d+/);
});

test('new connections get the certificates that a reload has read, open ones go on', async (t) => {
  const [first, second] = [createCertificate(t, ['old.test']), createCertificate(t, ['new.test'])];
  const other = createCertificate(t, ['other.test']);
  const listener = await startListener(t, { listen: listenOn([first, other]) });
  const open = watchSocket(await shake(t, listener.port));
  cpSync(second.cert, first.cert);
  cpSync(second.key, first.key);
  assert.equal(await nameFor(t, listener), 'old.test', 'not before it is told');
  listener.reload();
  assert.equal(await nameFor(t, listener), 'new.test');
  assert.equal(await nameFor(t, listener, 'new.test'), 'new.test');
  assert.equal(await nameFor(t, listener, 'other.test'), 'other.test');
  open.send(get());
  assert.equal((await readAnswer(open)).status, 200);
});

test('a reload that cannot be done keeps what is there, and the log names the file', async (t) => {
  const [tls, stranger] = [createCertificate(t, ['old.test']), createCertificate(t)];
  const listener = await startListener(t, { listen: listenOn(tls) });
  const failures: readonly (readonly [spoil: () => void, file: string])[] = [
    [() => cpSync(stranger.key, tls.key), tls.key],
    [() => writeFileSync(tls.cert, 'no certificate'), tls.cert],
  ];
  for (const [spoil, file] of failures) {
    spoil();
    listener.reload();
    const error = listener.lines.filter(({ level }) => level === 'error').at(-1);
    assert.ok(error?.message.includes(file), error?.message);
    assert.equal(await nameFor(t, listener), 'old.test');
  }
});

test('a listener whose files cannot be used does not start, and says which and where', async (t) => {
  const [one, two] = [createCertificate(t), createCertificate(t)];
  const nothing = `${one.cert}.none`;
  const cases: readonly (readonly [cert: string, key: string, file: string])[] = [
    [nothing, one.key, nothing],
    [one.cert, nothing, nothing],
    [one.key, one.key, one.key],
    [one.cert, one.cert, one.cert],
    [one.cert, two.key, two.key],
  ];
  for (const [cert, key, file] of cases) {
    await assert.rejects(startListener(t, { listen: listenOn([two, { cert, key }]) }), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, /^listen 127\.0\.0\.1:0: /);
      assert.ok(error.message.includes(`"${file}"`), error.message);
      return true;
    });
  }
});

test('a PROXY protocol header comes before the TLS handshake', async (t) => {
  const tls = createCertificate(t);
  const listener = await startListener(t, {
    listen: listenOn(tls, { proxyProtocol: true }),
    trustedProxies: ['127.0.0.1'],
  });
  const plain = connectTcp(listener.port, '127.0.0.1');
  t.after(() => plain.destroy());
  plain.write(proxyV2());
  const client = watchSocket(await shake(t, listener.port, { socket: plain }));
  client.send(get());
  assert.equal((await readAnswer(client)).body, 'ok');
  assert.deepEqual(listener.peers, [{ address: '198.51.100.7', isEncrypted: true }]);
});

test('a PROXY protocol header and a TLS handshake may come in one piece', async (t) => {
  const listener = await startListener(t, {
    listen: listenOn(createCertificate(t), { proxyProtocol: true }),
    trustedProxies: ['127.0.0.1'],
  });
  const plain = connectTcp(listener.port, '127.0.0.1');
  t.after(() => plain.destroy());
  plain.cork();
  plain.write(proxyV2());
  setImmediate(() => plain.uncork());
  const client = watchSocket(await shake(t, listener.port, { socket: plain }));
  client.send(get());
  assert.equal((await readAnswer(client)).body, 'ok');
});

test('a client that never ends its handshake is cut, whatever it sends', async (t) => {
  const listener = await startListener(t, {
    listen: listenOn(createCertificate(t)),
    times: { handshakeMs: 20 },
  });
  for (const bytes of ['', '\x16\x03\x01\x02\x00', get(), '\0'.repeat(100)]) {
    const client = connectRaw(t, listener.port);
    client.send(bytes);
    await client.closed;
    assert.ok(!client.received.includes('HTTP/'));
  }
  assert.equal(listener.connections.size, 0);
  assert.deepEqual(
    listener.lines.filter(({ level }) => level === 'error'),
    [],
  );
});

test('broken records after the handshake end the connection, and nothing else', async (t) => {
  const listener = await startListener(t, { listen: listenOn(createCertificate(t)) });
  const plain = connectTcp(listener.port, '127.0.0.1');
  t.after(() => plain.destroy());
  await shake(t, listener.port, { socket: plain });
  plain.write('this is no record of TLS');
  await once(plain, 'close');
  const client = watchSocket(await shake(t, listener.port));
  client.send(get());
  assert.equal((await readAnswer(client)).status, 200);
});
