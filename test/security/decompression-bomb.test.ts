import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startTestProxy } from '../support/proxy.ts';
import { openLines } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';

/** Small on the wire, and far above `maxBody` when it is unpacked. */
const BOMB = gzipSync(Buffer.alloc(64 * 1_024 ** 2));
const STATE = gzipSync('{"n":1}');

const CODED: readonly [rule: string, coding: string, body: Buffer, code: string][] = [
  ['a bomb', 'gzip', BOMB, 'UPSTREAM_TOO_LARGE'],
  ['a bomb in a bomb', 'gzip, gzip', gzipSync(BOMB), 'UPSTREAM_INVALID'],
  ['what breaks off', 'gzip', STATE.subarray(0, 12), 'UPSTREAM_INVALID'],
  ['what is not of the coding that it says', 'gzip', Buffer.from('{"n":1}'), 'UPSTREAM_INVALID'],
  ['a coding that was not asked for', 'br', Buffer.from('garbage'), 'UPSTREAM_INVALID'],
];
for (const [rule, coding, body, code] of CODED) {
  test(`${rule} is a failed poll, and disturbs no other channel`, async (t) => {
    const upstream = await startUpstream(t, (req, res) => {
      const isOdd = req.url === '/odd';
      res.setHeader('content-type', 'application/json');
      res.setHeader('content-encoding', isOdd ? coding : 'gzip');
      res.end(isOdd ? body : STATE);
    });
    const live = { '/:name': { every: '50ms', vary: [], maxBody: '1MiB' } };
    const { url } = await startTestProxy(t, { site: upstream.url, live });
    const odd = await openLines(t, `${url}/_comet/stream?url=/odd`);
    const word = await odd.next();
    assert.deepEqual([word['event'], word['data']], ['stale', { code }]);
    const other = await openLines(t, `${url}/_comet/stream?url=/other`);
    assert.deepEqual((await other.next())['data'], { n: 1 });
  });
}
