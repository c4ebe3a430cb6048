import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { memberId } from '../../src/passthrough/balancer.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream, unusedPort } from '../support/raw-upstream.ts';
import { switching, upgrade } from '../support/raw-websocket.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

const CLIENTS = Array.from({ length: 24 }, (_, i) => `198.51.100.${i}`);

/** Answers with its name, and with the body that it got. */
function echo(name: string): RequestListener {
  return (req, res) => {
    void req
      .toArray()
      .then((chunks) => res.end(name + Buffer.concat(chunks as Buffer[]).toString()));
  };
}

interface Scene {
  readonly proxy: TestProxy;
  readonly origins: readonly Upstream[];
}

async function start(t: TestContext, mount: Record<string, unknown> = {}): Promise<Scene> {
  const origins = [await startUpstream(t, echo('a')), await startUpstream(t, echo('b'))];
  const urls = origins.map(({ url }) => url);
  return { origins, proxy: await startMount(t, urls, mount) };
}

function startMount(t: TestContext, origins: string[], mount = {}): Promise<TestProxy> {
  const comet = { '/chat': { origins, ...mount } };
  return startTestProxy(t, { site: origins[0], comet, trustedProxies: ['127.0.0.1'] });
}

function askFrom(t: TestContext, { port }: TestProxy, client: string, ...lines: string[]) {
  return ask(t, port, get('/chat/x', `X-Forwarded-For: ${client}`, ...lines));
}

/** The cookie that says which origin a client is with, as it is sent back. */
function stickyOf(answer: RawAnswer): string {
  return answer
    .values('set-cookie')
    .map((cookie) => cookie.split(';', 1)[0])
    .join('; ');
}

test('a client stays with one of several origins by a cookie, wherever it comes from', async (t) => {
  const { proxy } = await start(t);
  const seen = new Set<string>();
  for (const client of CLIENTS) {
    const first = await askFrom(t, proxy, client);
    seen.add(first.body);
    assert.match(
      first.values('set-cookie').join('\n'),
      /^comet-proxy~chat=[\w-]+; Path=\/chat; HttpOnly; SameSite=Lax$/,
    );
    const cookie = `Cookie: other=1; ${stickyOf(first)}`;
    for (const address of CLIENTS.slice(0, 6)) {
      const again = await askFrom(t, proxy, address, cookie);
      assert.equal(again.body, first.body);
      assert.deepEqual(again.values('set-cookie'), []);
    }
  }
  assert.deepEqual(seen, new Set(['a', 'b']));
});

test('an origin never sees the cookie that says which one it is, and it tells no address', async (t) => {
  const { proxy, origins } = await start(t);
  const first = await askFrom(t, proxy, '192.0.2.1');
  const sticky = stickyOf(first);
  for (const { port } of origins) assert.ok(!sticky.includes(String(port)));
  await askFrom(t, proxy, '192.0.2.1', `Cookie: ${sticky}; chat~a=1`);
  await askFrom(t, proxy, '192.0.2.1', `Cookie: ${sticky}`);
  const cookies = origins.flatMap(({ requests }) => requests.map(({ headers }) => headers.cookie));
  assert.deepEqual(cookies, [undefined, 'a=1', undefined]);
});

test('behind TLS the cookie is a secure one', async (t) => {
  const { proxy } = await start(t);
  const answer = await askFrom(t, proxy, '192.0.2.1', 'X-Forwarded-Proto: https');
  assert.match(answer.values('set-cookie').join(), /; Secure(?:;|$)/);
});

test('a cookie of an origin that is not there any more, or was invented, is replaced', async (t) => {
  const { proxy } = await start(t);
  for (const value of ['unknown', '', '__proto__', '../x']) {
    const answer = await askFrom(t, proxy, '192.0.2.1', `Cookie: comet-proxy~chat=${value}`);
    assert.match(answer.body, /^[ab]$/);
    assert.match(stickyOf(answer), /^comet-proxy~chat=[\w-]{8,}$/);
  }
});

test('by its address, a client stays with one of several origins without any cookie', async (t) => {
  const { proxy } = await start(t, { sticky: 'address' });
  const seen = new Set<string>();
  for (const client of CLIENTS) {
    const answers = [await askFrom(t, proxy, client), await askFrom(t, proxy, client)];
    assert.deepEqual(
      answers.flatMap((answer) => answer.values('set-cookie')),
      [],
    );
    assert.equal(answers[0]?.body, answers[1]?.body);
    seen.add(answers[0]?.body ?? '');
  }
  assert.deepEqual(seen, new Set(['a', 'b']));
});

test('a mount with one origin has no use for such a cookie', async (t) => {
  const origin = await startUpstream(t, echo('a'));
  const proxy = await startMount(t, [origin.url]);
  assert.deepEqual((await askFrom(t, proxy, '192.0.2.1')).values('set-cookie'), []);
});

/** Two origins of which the first one, that the client is with, does not listen. */
async function startHalf(t: TestContext, mount = {}) {
  const dead = `http://127.0.0.1:${await unusedPort()}`;
  const alive = await startUpstream(t, echo('b'));
  const proxy = await startMount(t, [dead, alive.url], mount);
  return { proxy, alive, cookie: `Cookie: comet-proxy~chat=${memberId(new URL(dead))}` };
}

test('clients of an origin that is down go to another one, and stay there', async (t) => {
  const { proxy, cookie } = await startHalf(t);
  const answer = await askFrom(t, proxy, '192.0.2.1', cookie);
  assert.deepEqual([answer.status, answer.body], [200, 'b']);
  assert.match(stickyOf(answer), /^comet-proxy~chat=/);
  assert.ok(!cookie.endsWith(stickyOf(answer)));
});

test('clients of an origin that is down by their address go to another one', async (t) => {
  const { proxy } = await startHalf(t, { sticky: 'address' });
  for (const client of CLIENTS) assert.equal((await askFrom(t, proxy, client)).body, 'b');
});

for (const framing of [
  'Content-Length: 4\r\n\r\nbody',
  'Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
]) {
  test(`a body reaches the other origin whole, and once: ${framing.split('\r')[0]}`, async (t) => {
    const { proxy, alive, cookie } = await startHalf(t);
    const head = `POST /chat/x HTTP/1.1\r\nHost: site.test\r\n${cookie}\r\n`;
    const answer = await ask(t, proxy.port, head + framing);
    assert.deepEqual([answer.status, answer.body], [200, 'bbody']);
    assert.equal(alive.requests.length, 1);
  });
}

test('an upgrade goes to another origin when its own is down, and is told so', async (t) => {
  const dead = `http://127.0.0.1:${await unusedPort()}`;
  const alive = await startRawUpstream(t);
  const proxy = await startMount(t, [dead, alive.url]);
  const client = connectRaw(t, proxy.port);
  client.send(upgrade('/chat/ws', `Cookie: comet-proxy~chat=${memberId(new URL(dead))}`));
  const peer = await alive.connection(0);
  await peer.receive('\r\n\r\n');
  peer.send(switching());
  assert.match(await client.receive('\r\n\r\n'), /\r\nSet-Cookie: comet-proxy~chat=/);
  client.send('hello');
  await peer.receive('hello');
});

test('when no origin is there, the answer is 502 and not silence', async (t) => {
  const urls = [await unusedPort(), await unusedPort()].map((port) => `http://127.0.0.1:${port}`);
  const proxy = await startMount(t, urls);
  for (let i = 0; i < 3; i++) {
    assert.equal((await askFrom(t, proxy, '192.0.2.1')).status, 502);
  }
});

test('what an origin may have done already is not done again by another one', async (t) => {
  const rude = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => peer.reset());
  });
  const other = await startUpstream(t, echo('b'));
  const proxy = await startMount(t, [rude.url, other.url]);
  const cookie = `Cookie: comet-proxy~chat=${memberId(new URL(rude.url))}`;
  const head = `POST /chat/x HTTP/1.1\r\nHost: site.test\r\n${cookie}\r\n`;
  const answer = await ask(t, proxy.port, `${head}Content-Length: 4\r\n\r\nbody`);
  assert.equal(answer.status, 502);
  assert.deepEqual([rude.connections.length, other.requests.length], [1, 0]);
});
