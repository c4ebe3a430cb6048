import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { ndjson } from '../../src/transport/ndjson.ts';
import { jsonSnapshot, snapshot } from '../protocol/events.ts';
import { frameBytes, OPTIONS } from './framings.ts';
import { NASTY_TEXTS } from './nasty-texts.ts';

const line = (event: ChannelEvent, url = '/x') => frameBytes(ndjson, event, url).toString();

/** The one envelope that stands in a line. */
function parse(event: ChannelEvent, url?: string): unknown {
  const text = line(event, url);
  assert.ok(text.endsWith('\n'));
  assert.ok(!/[\r\n]/.test(text.slice(0, -1)), 'one line');
  return JSON.parse(text);
}

test('JSON stands in the line as the upstream wrote it', () => {
  assert.equal(
    line(jsonSnapshot('a-1', '{"b":1.0, "a":12345678901234567890}')),
    '{"url":"/x","id":"a-1","event":"snapshot","data":{"b":1.0, "a":12345678901234567890}}\n',
  );
});

test('what is not JSON is a string, and its type is told', () => {
  assert.equal(
    line(snapshot('a-1', '<p>"é"</p>', 'text/html')),
    '{"url":"/x","id":"a-1","event":"snapshot","contentType":"text/html","data":"<p>\\"é\\"</p>"}\n',
  );
});

test('what is not text is in base64', () => {
  assert.equal(
    line(snapshot('a-1', Buffer.from([0, 255, 10]), 'image/png')),
    '{"url":"/x","id":"a-1","event":"snapshot","contentType":"image/png","encoding":"base64","data":"AP8K"}\n',
  );
});

test('JSON in another charset stands as JSON as well', () => {
  const type = 'application/json; charset=utf-16le';
  assert.deepEqual(parse(snapshot('a-1', Buffer.from('{"a":"\u00e9"}', 'utf16le'), type)), {
    url: '/x',
    id: 'a-1',
    event: 'snapshot',
    data: { a: '\u00e9' },
  });
});

test('events without state', () => {
  assert.equal(
    line(controlEvent('stale', 'a-1', { code: 'UPSTREAM_TIMEOUT' })),
    '{"url":"/x","id":"a-1","event":"stale","data":{"code":"UPSTREAM_TIMEOUT"}}\n',
  );
  assert.equal(
    line(controlEvent('unauthorized', undefined, { status: 401 })),
    '{"url":"/x","event":"unauthorized","data":{"status":401}}\n',
  );
});

test('what is called JSON and is not travels as a string', () => {
  for (const text of [
    '',
    '{',
    "{'a':1}",
    'undefined',
    '{}{}',
    '{"a":1}\n{"b":2}',
    '\ufeff{}',
    'NaN',
  ]) {
    assert.deepEqual(parse(jsonSnapshot('a-1', text)), {
      url: '/x',
      id: 'a-1',
      event: 'snapshot',
      contentType: 'application/json',
      data: text,
    });
  }
});

test('JSON by any of its names is JSON', () => {
  for (const type of ['text/json', 'Application/JSON; charset=utf-8', 'application/hal+json']) {
    assert.deepEqual(parse(snapshot('a-1', '[1]', type)), {
      url: '/x',
      id: 'a-1',
      event: 'snapshot',
      data: [1],
    });
  }
});

test('a URL is told as it is, whatever stands in it', () => {
  const url = '/x?q="\\</script>&n=\u2028';
  assert.deepEqual(parse(jsonSnapshot('a-1', '1'), url), {
    url,
    id: 'a-1',
    event: 'snapshot',
    data: 1,
  });
});

test('prelude, heartbeat and farewell', () => {
  assert.equal(ndjson.prelude({ ...OPTIONS, retryMs: 2_000, paddingBytes: 0 }), '\n');
  assert.equal(ndjson.prelude({ ...OPTIONS, retryMs: 2_000, paddingBytes: 4 }), '    \n');
  assert.equal(ndjson.heartbeat, '\n');
  assert.equal(ndjson.farewell(1_234.5), '{"event":"retry","data":{"retryMs":1235}}\n');
  assert.deepEqual(ndjson.headers(OPTIONS), {
    'content-type': 'application/x-ndjson; charset=utf-8',
  });
});

for (const [name, text] of NASTY_TEXTS) {
  test(`a document with ${name} arrives whole, as text and inside JSON`, () => {
    const asText = parse(snapshot('a-1', text)) as { data: unknown };
    assert.equal(asText.data, text);
    const asJson = parse(jsonSnapshot('a-1', JSON.stringify({ text }, null, 2)));
    assert.deepEqual((asJson as { data: unknown }).data, { text });
  });
}

test('a body cannot replace parts of its envelope', () => {
  const body = '{"url":"/other","id":"z-9","event":"gone","__proto__":{"id":"z-9"}}';
  const { url, id, event } = parse(jsonSnapshot('a-1', body)) as Record<string, unknown>;
  assert.deepEqual([url, id, event], ['/x', 'a-1', 'snapshot']);
});

test('any JSON, spaced and broken into lines in any way, arrives as the same value', () => {
  const space = fc.stringMatching(/^[ \t\r\n]{0,4}$/);
  fc.assert(
    fc.property(fc.json(), fc.nat(6), space, space, (json, indent, before, after) => {
      const given = before + JSON.stringify(JSON.parse(json), null, indent) + after;
      for (const text of [given, given.replaceAll('\n', '\r\n'), given.replaceAll('\n', '\r')]) {
        const { data } = parse(jsonSnapshot('a-1', text)) as { data: unknown };
        assert.deepEqual(data, JSON.parse(json));
      }
    }),
    { numRuns: 500 },
  );
});
