import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { until } from '../../support/until.ts';
import type { Client } from './clients.ts';
import { isStream } from './clients.ts';
import type { Reader } from './reader.ts';
import { read } from './reader.ts';
import { rulesOf } from './rule.ts';
import { openSite } from './site.ts';

const GZIP = { 'accept-encoding': 'gzip' };
const asked = { '/api/x': undefined };

/** Texts that are worth compressing, one that is not, and an empty one. */
const STATES = [
  'first '.repeat(1_000),
  'x',
  '',
  'é😀\r\n'.repeat(50_000),
  Array.from({ length: 5_000 }, (_, i) => i).join(),
];

/** Compressed streams. */
export function testGzip(client: Client): void {
  const rule = rulesOf(client);
  const exempt = !isStream(client) && 'only answers that stay open are compressed';

  rule(
    'a compressed stream is read event by event, and ends with a valid trailer',
    async (t) => {
      const site = await openSite(t);
      const put = (body: string) => site.put('/api/x', { type: 'text/plain', body });
      put(STATES[0] ?? '');
      const readers = [0, 1].map(() => read(t, client, site, asked, GZIP));
      const plain = read(t, client, site, asked);
      const marks: number[][] = [[], []];
      for (const state of STATES) {
        put(state);
        const expected = (await plain.next()).body;
        for (const [index, reader] of readers.entries()) {
          const { body } = await reader.next();
          assert.ok(body.equals(expected));
          marks[index]?.push(reader.wire().length);
        }
      }
      assert.equal(plain.coding, undefined);
      assert.deepEqual(pieces(readers[0], marks[0]), pieces(readers[1], marks[1]));

      await until(() => site.proxy.streamCount === 3);
      await site.proxy.drain();
      await plain.ended;
      for (const reader of readers) {
        assert.equal(reader.coding, 'gzip');
        assert.deepEqual(await reader.ended, {});
        assert.equal(reader.heard.at(-1)?.kind, 'retry');
        // All of it at once: the sum and the length at the end are those of the text.
        const text = gunzipSync(reader.wire());
        assert.ok(text.length > 2 * reader.wire().length);
      }
    },
    exempt,
  );

  rule(
    'a stream of a private endpoint is compressed only if the config says so',
    async (t) => {
      const endpoint = { vary: ['cookie'] };
      for (const [more, coding] of [
        [{}, undefined],
        [{ compress: true }, 'gzip'],
        [{ vary: [], compress: false }, undefined],
      ] as const) {
        const site = await openSite(t, { endpoint: { ...endpoint, ...more } });
        site.putJson('/api/x', STATES);
        const reader = read(t, client, site, asked, { ...GZIP, cookie: 'a=1' });
        assert.deepEqual((await reader.next()).data, STATES);
        assert.equal(reader.coding, coding);
      }
    },
    exempt,
  );

  rule(
    'who does not ask for it, or comes through a proxy, gets no compressed answer',
    async (t) => {
      const site = await openSite(t);
      site.putJson('/api/x', STATES);
      for (const headers of [
        {},
        { ...GZIP, via: '1.1 cache' },
        { 'accept-encoding': 'gzip;q=0' },
      ]) {
        const reader = read(t, client, site, asked, headers);
        assert.deepEqual((await reader.next()).data, STATES);
        assert.equal(reader.coding, undefined);
      }
    },
  );
}

/** What was sent for each event after the first, before which a client is told its own delay. */
function pieces(reader: Reader | undefined, marks: readonly number[] = []): string[] {
  const wire = reader?.wire() ?? Buffer.alloc(0);
  return marks.slice(1).map((end, index) => wire.toString('hex', marks[index], end));
}
