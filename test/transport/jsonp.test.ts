import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { controlEvent } from '../../src/protocol/event.ts';
import { envelope } from '../../src/transport/envelope.ts';
import { jsonp } from '../../src/transport/jsonp.ts';
import { scriptText } from '../../src/transport/script-text.ts';
import { jsonSnapshot } from '../protocol/events.ts';
import { frameBytes, OPTIONS } from './framings.ts';
import { anyEvents, anyUrl, runScript } from './script-page.ts';

const frame = (text: string) => frameBytes(jsonp, jsonSnapshot('a-1', text));
const body = (...frames: Buffer[]) => jsonp.body(frames, OPTIONS).toString('latin1');

test('an answer is a call of the function that was named, if there is one', () => {
  assert.equal(
    body(frame('{"n":1}')),
    `/**/typeof got==='function'&&got(JSON.parse("{\\"events\\":[{\\"url\\":\\"/x\\",\\"id\\":\\"a-1\\",\\"event\\":\\"snapshot\\",\\"data\\":{\\"n\\":1}}]}"));\n`,
  );
  assert.equal(body(), `/**/typeof got==='function'&&got(JSON.parse("{\\"events\\":[]}"));\n`);
});

test('a page that has taken its function away gets no error', () => {
  const source = jsonp.body([frame('1')], { ...OPTIONS, callback: 'other' }).toString();
  assert.deepEqual(runScript(source, 'got'), []);
});

test('several events and the word to come back are in one call, in order', () => {
  const stale = frameBytes(jsonp, controlEvent('stale', '~stale', { code: 'UPSTREAM_RESET' }));
  const source = body(frame('1'), stale, jsonp.farewell(1_999.6));
  assert.deepEqual(runScript(source, 'got'), [
    {
      events: [
        { url: '/x', id: 'a-1', event: 'snapshot', data: 1 },
        { url: '/x', id: '~stale', event: 'stale', data: { code: 'UPSTREAM_RESET' } },
        { event: 'retry', data: { retryMs: 2_000 } },
      ],
    },
  ]);
});

test('it cannot be sniffed, displayed as something else, or tell where it was loaded', () => {
  assert.deepEqual(jsonp.headers(OPTIONS), {
    'content-type': 'text/javascript; charset=utf-8',
    'content-disposition': 'attachment; filename="f.txt"',
    'referrer-policy': 'no-referrer',
  });
});

test('a refusal is told to the function, since scripts see no status', () => {
  const text = jsonp.refusal?.('NOT_LIVE', OPTIONS);
  const message = 'this URL is not a live endpoint';
  assert.equal(
    text,
    `/**/typeof got==='function'&&got(JSON.parse("{\\"error\\":{\\"code\\":\\"NOT_LIVE\\",\\"status\\":404,\\"message\\":\\"${message}\\"}}"));\n`,
  );
  assert.deepEqual(runScript(text, 'got'), [{ error: { code: 'NOT_LIVE', status: 404, message } }]);
});

test('a refusal that quotes is still one string', () => {
  const source = jsonp.refusal?.('BAD_MESSAGE', OPTIONS) ?? '';
  const [told] = runScript(source, 'got') as [{ error: { message: string } }];
  assert.equal(told.error.message, 'say {"subscribe": url, "since": id} or {"unsubscribe": url}');
});

test('a member named __proto__ is a member of the data and nothing else', () => {
  const [told] = runScript(body(frame('{"__proto__":{"polluted":true}}')), 'got');
  assert.equal(JSON.stringify(told).includes('"data":{"__proto__":{"polluted":true}}'), true);
});

test('numbers that a double cannot hold are there as the site wrote them', () => {
  assert.ok(body(frame('12345678901234567890')).includes('\\"data\\":12345678901234567890}'));
});

test('whatever the events hold, the call gives them back and holds ASCII without markup', () => {
  fc.assert(
    fc.property(anyEvents, anyUrl, (events, url) => {
      const bytes = jsonp.body(
        events.map((event) => frameBytes(jsonp, event, url)),
        OPTIONS,
      );
      const [inside] = /(?<=JSON\.parse\(").*(?="\)\);\n$)/.exec(bytes.toString('latin1')) ?? [];
      assert.match(inside ?? '<', /^[ -%'-;=?-~]*$/);
      const expected = events.map((event) => JSON.parse(envelope(event, url).toString()));
      assert.deepEqual(runScript(bytes.toString('latin1'), 'got'), [{ events: expected }]);
    }),
    { numRuns: 500 },
  );
});

test('the inside of a string literal is escaped unit by unit', () => {
  assert.equal(
    scriptText('a"\\\n</é\u2028\ud83d\ude00&>~ \u007f'),
    ['a\\"\\\\\\n\\u003c/\\u00e9\\u2028\\ud83d\\ude00\\u0026\\u003e~ \\u007f'].join(''),
  );
});
