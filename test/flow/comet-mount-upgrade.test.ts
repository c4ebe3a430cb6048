import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { switching, upgrade } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { countHeads, OK, startMountScene } from './comet-mount-scene.ts';

const LINES = [
  'Origin: http://site.test',
  'Referer: http://site.test/chat/page?x',
  'Cookie: SESSION=site; chat~a=1',
  'cookie: chat~b=2; other~c=3; shared=4',
  'X-Forwarded-Host: forged.test',
  'X-Text: caf\xe9 \xff',
  'Access-Control-Request-Method: GET',
];
/** What makes an upgrade an upgrade, and says how long a connection lives. */
const OF_THE_CONNECTION = /^(?:connection|upgrade|keep-alive|sec-websocket-[\w-]+): /i;

for (const [name, mount] of Object.entries({
  'by its own name': { cookies: ['shared'] },
  'by the name that the client uses': { preserveHost: true },
})) {
  test(`an upgrade and a request reach an origin as the same bytes, asked ${name}`, async (t) => {
    const { proxy, origin } = await startMountScene(t, { mount });
    const target = '/chat/%2Fsocket.io//?EIO=4&t=%2e%2e/..';
    const heads: string[][] = [];
    for (const request of [get(target, ...LINES), upgrade(target, ...LINES)]) {
      connectRaw(t, proxy.port).send(request);
      const peer = await origin.connection(heads.length);
      const head = (await peer.receive('\r\n\r\n')).split('\r\n\r\n', 1)[0] ?? '';
      heads.push(head.split('\r\n').filter((line) => !OF_THE_CONNECTION.test(line)));
    }
    const [ofRequest = [], ofUpgrade = []] = heads;
    assert.equal(ofUpgrade[0], 'GET /bayeux/%2Fsocket.io//?EIO=4&t=%2e%2e/.. HTTP/1.1');
    assert.deepEqual(ofUpgrade.slice(1).toSorted(), ofRequest.slice(1).toSorted());
    assert.equal(ofUpgrade[0], ofRequest[0]);
    const cookie = ofUpgrade.find((line) => /^cookie:/i.test(line));
    assert.equal(
      cookie,
      'preserveHost' in mount ? 'Cookie: a=1; b=2' : 'Cookie: a=1; b=2; shared=4',
    );
  });
}

test('bytes pass both ways once an origin has agreed, and its cookies are those of the mount', async (t) => {
  const { proxy, origin } = await startMountScene(t);
  const client = connectRaw(t, proxy.port);
  client.send(upgrade('/chat/ws'));
  const peer = await origin.connection(0);
  await peer.receive('\r\n\r\n');
  peer.send(
    switching(
      ...['Set-Cookie: a=1; Domain=push.example; Path=/; Secure; SameSite=None', 'X-Kept: 1'],
      ...['set-cookie: b=2; HttpOnly', 'Strict-Transport-Security: max-age=1'],
      'Access-Control-Allow-Origin: http://site.test',
    ),
  );
  const head = await client.receive('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 101 /);
  assert.match(head, /\r\nSet-Cookie: chat~a=1; Path=\/chat; SameSite=Lax\r\n/);
  assert.match(head, /\r\nset-cookie: chat~b=2; HttpOnly; Path=\/chat; SameSite=Lax\r\n/);
  assert.match(head, /\r\nX-Kept: 1\r\n/);
  assert.doesNotMatch(head, /Strict-Transport|Access-Control|push\.example/i);
  peer.send('\x81\x02hi');
  await client.receive('\x81\x02hi');
  client.send('\x81\x80\x00\xff\x00\xff');
  await peer.receive('\x81\x80\x00\xff\x00\xff');
});

test('an origin that refuses an upgrade is heard, with its URLs and cookies mapped', async (t) => {
  const { proxy, origin } = await startMountScene(t);
  const asked = ask(t, proxy.port, upgrade('/chat/ws'));
  const peer = await origin.connection(0);
  await peer.receive('\r\n\r\n');
  peer.send(
    'HTTP/1.1 307 Elsewhere\r\nLocation: /bayeux/other\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\nno',
  );
  const answer = await asked;
  assert.deepEqual([answer.status, answer.body], [307, 'no']);
  assert.deepEqual(answer.values('location'), ['/chat/other']);
  assert.deepEqual(answer.values('set-cookie'), ['chat~a=1; Path=/chat; SameSite=Lax']);
});

for (const target of [
  '/chat/../ws',
  '/chat/..%2fws',
  '/chat/%2e%2e/ws',
  '/%63hat/ws',
  '/chat/..;/ws',
]) {
  test(`an upgrade cannot leave a mount, nor enter it in disguise: ${target}`, async (t) => {
    const { proxy, origin, site } = await startMountScene(t, { answer: OK });
    assert.equal((await ask(t, proxy.port, upgrade(target))).status, 400);
    assert.deepEqual([countHeads(origin), countHeads(site)], [0, 0]);
  });
}

for (const side of ['client', 'origin'] as const) {
  test(`when the ${side} of a mounted WebSocket vanishes, the other side learns of it`, async (t) => {
    const { proxy, origin } = await startMountScene(t);
    const client = connectRaw(t, proxy.port);
    client.send(upgrade('/chat/ws'));
    const peer = await origin.connection(0);
    await peer.receive('\r\n\r\n');
    peer.send(switching());
    await client.receive('\r\n\r\n');
    (side === 'client' ? client : peer).reset();
    await (side === 'client' ? peer : client).closed;
  });
}

test('an upgrade that is none for WebSocket is a request', async (t) => {
  const { proxy, origin } = await startMountScene(t, { answer: OK });
  const answer = await ask(t, proxy.port, get('/chat/x', 'Connection: Upgrade', 'Upgrade: h2c'));
  assert.equal(answer.status, 200);
  await until(() => countHeads(origin) === 1);
  assert.doesNotMatch(origin.connections[0]?.received ?? '', /\r\nupgrade:/i);
});
