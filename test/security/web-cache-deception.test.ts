import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORT_NAMES } from '../../src/protocol/surface.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, parseAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startUpstream } from '../support/upstream.ts';
import { WAYS } from './ways.ts';

/*
 * A page that is one client's, under a URL that looks like a file for everybody: no such URL may be
 * taken for an endpoint, and nothing of ours may be kept by a cache on the way.
 */

const LIVE = {
  '/account': '1h',
  '/feed/:id': { every: '1h', vary: [] },
  '/tree/**': { every: '1h', vary: [] },
};

/** Paths that some server takes for an endpoint's, or for another one than it looks. */
const PATHS = [
  '/account/x.css',
  '/account/',
  '/account;a.js',
  '/account;/x.css',
  '/account/;x.css',
  '/account.css',
  '/account~x.js',
  '/account%2f..%2fstatic',
  '/account%2Fx.css',
  '/account%5cx.css',
  '/account\\x.css',
  '/account%3bx.css',
  '/account%3fx.css',
  '/account%23x.css',
  '/account%00x.css',
  '/account%0ax.css',
  '/account%20',
  '/account%',
  '/account%2',
  '/ACCOUNT',
  '//account',
  '/./account',
  '/account/.',
  '/account/../static/x.css',
  '/account/%2e%2e/static/x.css',
  '/account/..;/static/x.css',
  '/feed/../account',
  '/feed/%2e%2e/account',
  '/feed/..%2faccount',
  '/feed/%2e%2e%2faccount',
  '/feed/..%5caccount',
  '/feed/1;x.css',
  '/feed/1/x.css',
  '/feed/',
  '/tree/../account',
  '/tree/a/../../account',
  '/tree/%2E%2e/account',
  '/tree/..;/account',
  '/tree/a%2f..%2f..%2faccount',
  '/tree//account',
  '/tree/a;jsessionid=1/b',
];

test('a URL that may be read in two ways is passed through untouched, its no-store kept', async (t) => {
  const site = await startUpstream(t, (req, res) => {
    res.setHeader('cache-control', 'private, no-store').setHeader('content-type', 'text/css');
    res.end(`${req.url} of ${req.headers.cookie}`);
  });
  const proxy = await startTestProxy(t, { site: site.url, live: LIVE });
  for (const path of PATHS) {
    for (const [index, more] of [
      [],
      [],
      ['Accept: text/event-stream'],
      ['Prefer: wait=20'],
    ].entries()) {
      const cookie = `sid=${index}`;
      const answer = await ask(t, proxy.port, get(path, `Cookie: ${cookie}`, ...more));
      assert.equal(answer.status, 200, path);
      assert.equal(answer.body, `${path} of ${cookie}`);
      assert.deepEqual(answer.values('cache-control'), ['private, no-store'], path);
      assert.deepEqual(answer.values('cache-status'), [], path);
    }
    const query = new URLSearchParams({ url: path });
    const stream = await ask(t, proxy.port, get(`/_comet/sse?${query}`, 'Cookie: sid=9'));
    assert.match(stream.body, /^(?:NOT_LIVE|BAD_URL): /, path);
    assert.deepEqual(stream.values('cache-control'), ['no-store'], path);
  }
  assert.equal(
    site.requests.length,
    4 * PATHS.length,
    'each was asked for itself, and none polled',
  );
});

// Nobody keeps a 101.
for (const { name, request } of WAYS.filter((way) => !way.name.includes('ws'))) {
  const isPlain = name === 'plain' || name === 'wait';
  test(`${name}: no cache may keep what was one client's`, async (t) => {
    const site = await startUpstream(t, (req, res) => {
      if (req.url === '/kept') res.setHeader('cache-control', 'private, no-store, max-age=0');
      if (req.url === '/shown') res.setHeader('cache-control', 'public, max-age=86400');
      res.setHeader('content-type', 'application/json').end('{"a":1}');
    });
    const endpoint = { every: '1h', transports: TRANSPORT_NAMES };
    const live = {
      '/kept': endpoint,
      '/shown': endpoint,
      '/silent': endpoint,
      '/everybody': { ...endpoint, vary: [] },
    };
    const proxy = await startTestProxy(t, { site: site.url, live });
    for (const path of Object.keys(live)) {
      const peer = connectRaw(t, proxy.port);
      peer.send(request(path, 'Cookie: sid=1'));
      await peer.receive(/a\W+1/);
      const answer = parseAnswer(peer.received);
      const rules = answer?.values('cache-control').join();
      const vary = answer?.values('vary').join().toLowerCase() ?? '';
      if (!isPlain) assert.match(rules ?? '', /\bno-store\b/, path);
      else if (path === '/kept') assert.equal(rules, 'private, no-store, max-age=0');
      else if (path === '/silent') assert.equal(rules, 'no-cache');
      if (isPlain && path !== '/everybody') assert.match(vary, /cookie, authorization/);
    }
  });
}
