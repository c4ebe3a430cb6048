import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORT_NAMES } from '../../src/protocol/surface.ts';
import { errorData } from '../../src/shared/errors.ts';
import { openEnvelopes } from '../flow/socket-client.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { startUpstream } from '../support/upstream.ts';

/*
 * Names that every object has by birth, wherever a client, the site or the config can give one: they
 * are names like all others, and no object of ours learns anything by them.
 */

const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

const BY_BIRTH = Object.getOwnPropertyNames(Object.prototype);

/** Nothing has been added to what all objects share. */
function assertClean(): void {
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), BY_BIRTH);
}

for (const name of NAMES) {
  test(`${name} as a header, a cookie, a parameter and a path is a name like all others`, async (t) => {
    const site = await startUpstream(t, (req, res) => {
      const { url, rawHeaders } = req;
      const at = rawHeaders.findIndex((one) => one.toLowerCase() === name.toLowerCase());
      const sent = {
        url,
        header: at === -1 ? null : rawHeaders[at + 1],
        cookie: req.headers.cookie,
      };
      res.setHeader('content-type', 'application/json').end(JSON.stringify(sent));
    });
    const live = {
      [`/${name}`]: {
        every: '1h',
        vary: [name, `cookie:${name}`, `query:${name}`],
        ignoreQuery: ['*'],
        transports: TRANSPORT_NAMES,
      },
      '/fixed': { every: '1h', vary: [], headers: name === '__proto__' ? {} : { [name]: 'ours' } },
    };
    const proxy = await startTestProxy(t, { site: site.url, live });
    const see = async (query: string, ...lines: string[]) => {
      const answer = await ask(t, proxy.port, get(`/${name}${query}`, ...lines));
      assert.deepEqual(answer.values('cache-status'), ['comet-proxy; hit']);
      return JSON.parse(answer.body);
    };
    const url = `/${name}`;
    const none = { url, header: null };
    assert.deepEqual(await see(''), none);
    assert.deepEqual(await see('?constructors=1&_=2'), none);
    assert.deepEqual(await see('', `${name}: evil`), { url, header: 'evil' });
    assert.deepEqual(await see('', `Cookie: ${name}=evil; a=b`), {
      ...none,
      cookie: `${name}=evil`,
    });
    assert.deepEqual(await see(`?${name}=evil&x=1`), { ...none, url: `${url}?${name}=evil` });
    assert.equal(site.requests.length, 4, 'two of these are the same');
    const fixed = JSON.parse((await ask(t, proxy.port, get('/fixed', `${name}: evil`))).body);
    assert.equal(fixed.header, name === '__proto__' ? null : 'ours');
    assertClean();
  });

  test(`${name} where the surface knows a few names only is unknown`, async (t) => {
    const site = await startUpstream(t, (_req, res) => res.end('1'));
    const proxy = await startTestProxy(t, {
      site: site.url,
      live: { '/x': { every: '1h', vary: [] } },
    });
    const unknown = await ask(t, proxy.port, get(`/_comet/${name}?url=/x`));
    assert.match(unknown.body, /^NOT_FOUND: /);
    assert.match((await ask(t, proxy.port, get(`/_comet/sse?url=/${name}`))).body, /^NOT_LIVE: /);
    const more = `/_comet/poll?url=/x&${name}=evil&${name}[evil]=1&wait=1`;
    assert.equal((await ask(t, proxy.port, get(more))).status, 200);
    const socket = await openEnvelopes(t, proxy.url);
    socket.say(`{"${name}":{"subscribe":"/x"}}`);
    assert.deepEqual(await socket.next(), { event: 'error', data: errorData('BAD_MESSAGE') });
    socket.say(`{"subscribe":"/x","${name}":{"since":"1","evil":true}}`);
    assert.equal((await socket.next()).data, '1');
    assertClean();
  });

  test(`${name} as a header of the site's passes through, and is no part of a state`, async (t) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${name}: a\r\n${name}: b\r\n`;
    const site = await startRawUpstream(t, (peer) => {
      peer.socket.on('data', () => peer.send(`${head}Content-Type: application/json\r\n\r\n{}`));
    });
    const config = { site: site.url, live: { '/x': { every: '1h', vary: [] } } };
    for (const lenient of [false, true]) {
      const proxy = await startTestProxy(t, { ...config, site: { url: site.url, lenient } });
      const passed = await ask(t, proxy.port, get('/other'));
      assert.deepEqual(passed.values(name.toLowerCase()), ['a', 'b']);
      const stream = connectRaw(t, proxy.port);
      stream.send(get('/x', 'Accept: text/event-stream'));
      await stream.receive('data: {}');
      const absorbed = await ask(t, proxy.port, get('/x'));
      assert.equal(absorbed.status, 200);
      assert.deepEqual(absorbed.values(name.toLowerCase()), []);
    }
    assertClean();
  });
}
