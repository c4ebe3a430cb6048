import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import type { ReadOutcome } from '../../src/discovery/read-traffic.ts';
import { readTraffic } from '../../src/discovery/read-traffic.ts';
import type { Seen } from '../../src/discovery/seen.ts';
import { FILE_LIMITS, Traffic } from '../../src/discovery/traffic.ts';
import { logLine, mixedTraffic } from './mixed-traffic.ts';
import { seededRandom } from './random.ts';

const LINE =
  '10.0.0.1 - - [12/Oct/2026:08:00:05 +0200] "GET /api/status?_=1 HTTP/1.1" 200 512 "https://shop.example/board?x=1" "Mozilla/5.0"';

/** Without it the heap says what was left lying about. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(
  content: string | Uint8Array,
  size = 65_536,
): Promise<{ outcome: ReadOutcome; seen: Seen[] }> {
  const seen: Seen[] = [];
  const traffic = { see: (one: Seen) => void seen.push(one) };
  const outcome = await readTraffic(inChunks(Buffer.from(content), size), 'file', traffic);
  return { outcome, seen };
}

async function read(line: string): Promise<Seen | undefined> {
  return (await readAll(`${line}\n`)).seen[0];
}

test('a line of the combined format is a request of its address and its browser', async () => {
  const seen = await read(LINE);
  assert.deepEqual(
    [seen?.atMs, seen?.resolutionMs, seen?.method, seen?.target, seen?.status, seen?.bytes],
    [Date.UTC(2026, 9, 12, 6, 0, 5), 1_000, 'GET', '/api/status?_=1', 200, 512],
  );
  assert.deepEqual([seen?.page, seen?.sender, seen?.durationMs], ['/board', 'browser', undefined]);
});

const LINES: readonly [rule: string, line: string, wanted: Partial<Seen>][] = [
  [
    'the common format',
    '::1 - ben [12/Oct/2026:08:00:05 +0000] "POST /rpc HTTP/1.0" 200 -',
    { method: 'POST', bytes: undefined, sender: 'unknown' },
  ],
  ['the host before it', `shop.example:443 ${LINE}`, { client: '10.0.0.1 - Mozilla/5.0' }],
  [
    "Apache's microseconds",
    `${LINE} 1500000`,
    { durationMs: 1_500, atMs: Date.UTC(2026, 9, 12, 6, 0, 5) },
  ],
  [
    "nginx's seconds, written when it was over",
    `${LINE} 25.500`,
    { durationMs: 25_500, atMs: Date.UTC(2026, 9, 12, 5, 59, 39, 500) },
  ],
  ['a duration with a name', `${LINE} rt=0.250 uct="0.001"`, { durationMs: 250 }],
  ['the two sizes of combinedio', `${LINE} 431 1042`, { durationMs: undefined }],
  ['other fields', `${LINE} "-" TLSv1.3 gzip`, { durationMs: undefined }],
  [
    'quotes within a field',
    LINE.replace('Mozilla/5.0', 'Mozilla/5.0 \\"x\\" y'),
    { client: '10.0.0.1 - Mozilla/5.0 \\"x\\" y' },
  ],
  ['a whole URL', LINE.replace('/api', 'http://shop.example/api'), { target: '/api/status?_=1' }],
  [
    'a user with a space',
    LINE.replace('- - [', '- Anna B [').replace('10.0.0.1 ', '10.0.0.1 '),
    { client: '10.0.0.1 Anna B Mozilla/5.0' },
  ],
];
for (const [rule, line, wanted] of LINES) {
  test(`${rule}: read`, async () => {
    const seen = (await read(line)) as Record<string, unknown> | undefined;
    for (const [name, value] of Object.entries(wanted)) assert.equal(seen?.[name], value, name);
  });
}

test("the proxy's own access log in JSON is read, and what stands between its lines is not counted", async () => {
  const time = Date.UTC(2026, 9, 12, 8, 0, 5, 250);
  const own = {
    level: 30,
    time,
    address: '10.0.0.1',
    method: 'GET',
    url: '/a',
    version: '1.1',
    status: 200,
    bytes: 300,
    ms: 250,
    msg: 'request',
  };
  const other = { level: 30, time, msg: 'reading certificates again' };
  const { outcome, seen } = await readAll(`${JSON.stringify(other)}\n${JSON.stringify(own)}\n`);
  assert.deepEqual(outcome, { format: 'log', read: 1, unreadable: 0 });
  assert.deepEqual([seen[0]?.atMs, seen[0]?.durationMs, seen[0]?.target], [time - 250, 250, '/a']);
});

test('lines that are no requests are counted, and the others read', async () => {
  const bad = [
    'nonsense',
    '',
    `${LINE}`.replace('12/Oct', '12/Okt'),
    '\u0000\u0001',
    'x'.repeat(200_000),
    LINE.replace('GET /api', 'GET *'),
  ];
  const { outcome } = await readAll([LINE, ...bad, LINE].join('\r\n'));
  assert.deepEqual(outcome, { format: 'log', read: 2, unreadable: 5 });
});

test('what is compressed shows in its first bytes, also in several pieces', async () => {
  const two = Buffer.concat([gzipSync(`${LINE}\n`), gzipSync(`${LINE}\n${LINE}\n`)]);
  for (const size of [1, 7, 65_536]) {
    const { outcome } = await readAll(two, size);
    assert.deepEqual(outcome, { format: 'log', read: 3, unreadable: 0 });
  }
});

test('a compressed file that is cut is read up to there, and said to be', async () => {
  const random = seededRandom(1);
  const lines = Array.from({ length: 3_000 }, () =>
    LINE.replace('512', String(Math.floor(random() * 1e9))),
  );
  const packed = gzipSync(lines.join('\n'));
  const { outcome } = await readAll(packed.subarray(0, packed.length >> 1));
  assert.ok(outcome.read > 100, `${outcome.read}`);
  assert.match(outcome.problem ?? '', /unexpected end/);
});

test('an empty file, and one that is no log, are told as what they are', async () => {
  assert.deepEqual((await readAll('')).outcome, { format: 'empty', read: 0, unreadable: 0 });
  assert.deepEqual((await readAll('\n \n')).outcome, { format: 'empty', read: 0, unreadable: 0 });
  const { outcome } = await readAll('<!doctype html>\n<title>x</title>\n');
  assert.deepEqual(outcome, { format: 'log', read: 0, unreadable: 2 });
});

test('no line, however it is made, takes long or ends the reading', async () => {
  const evil = [
    '"'.repeat(60_000),
    `${LINE.slice(0, 60)}${'\\"'.repeat(30_000)}`,
    `10.0.0.1 ${'- '.repeat(30_000)}[`,
    `${LINE} ${'1 '.repeat(30_000)}`,
  ];
  const started = performance.now();
  const { outcome } = await readAll([...evil, LINE].join('\n'));
  assert.ok(outcome.read >= 1);
  assert.equal(outcome.read + outcome.unreadable, evil.length + 1);
  assert.ok(performance.now() - started < 20_000, 'the time grows with the length alone');
});

test('the memory that reading takes does not grow with the file', async (t) => {
  const lines = mixedTraffic(3)
    .slice(0, 40_000)
    .map((happening) => logLine(happening));
  const random = seededRandom(8);
  const traffic = new Traffic({
    limits: { ...FILE_LIMITS, shapes: 500, numbers: 400_000 },
    key: [1, 2],
    texts: 'keep',
  });
  const sizes: number[] = [];
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let round = 0; round < 12; round++) {
      for (let at = 0; at < lines.length; at += 500) {
        // Other people each time, and pages that nobody asks for twice.
        const some = lines.slice(at, at + 500).map((line) => {
          const other = line.replace(/^10\.0/, `10.${round + 1}`);
          return other.replace('GET /item/', `GET /item/${Math.floor(random() * 1e9)}/`);
        });
        yield Buffer.from(`${some.join('\n')}\n`);
      }
      collectGarbage();
      sizes.push(process.memoryUsage().heapUsed);
      assert.ok(traffic.room <= 400_000);
      assert.ok(traffic.shapes().length <= 500);
    }
  }
  await readTraffic(endless(), 'log', traffic);
  const [, , early = 0] = sizes;
  const grown = (sizes.at(-1) ?? 0) - early;
  t.diagnostic(
    `${traffic.requests} requests; heap ${sizes.map((size) => Math.round(size / 2 ** 20)).join(' ')} MiB`,
  );
  assert.ok(grown < 8 * 2 ** 20, `${grown} bytes more`);
});
