import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { controlEvent, patchEvent } from '../../src/protocol/event.ts';
import { mixed } from '../../src/transport/multipart.ts';
import { jsonSnapshot, snapshot } from '../protocol/events.ts';
import { frameBytes, OPTIONS } from './framings.ts';
import { boundaryOf, readByLength, stream } from './multipart-reader.ts';
import { bodies, types } from './multipart-states.ts';

const B = boundaryOf(mixed);
const frame = (event: ChannelEvent) => frameBytes(mixed, event).toString();

test('the prelude opens the first part, and every part opens the next', () => {
  assert.equal(mixed.prelude(OPTIONS), `--${B}\r\n`);
  assert.equal(
    frame(jsonSnapshot('a-1', '{"n":1}')),
    `Content-Type: application/json\r\nX-Event: snapshot\r\nX-Event-Id: a-1\r\nContent-Length: 7\r\n\r\n{"n":1}\r\n--${B}\r\n`,
  );
});

test('the length is counted in bytes', () => {
  assert.match(frame(snapshot('a-1', 'é☃')), /\r\nContent-Length: 5\r\n\r\né☃\r\n--/);
  assert.match(frame(snapshot('a-1', '')), /\r\nContent-Length: 0\r\n\r\n\r\n--/);
});

test('what is no snapshot is told by its name, and without an id where there is none', () => {
  assert.equal(
    frame(patchEvent('json', 'a-2', '[]')),
    `Content-Type: application/json-patch+json\r\nX-Event: patch\r\nX-Event-Id: a-2\r\nContent-Length: 2\r\n\r\n[]\r\n--${B}\r\n`,
  );
  assert.equal(
    frame(controlEvent('gone', undefined, { status: 410 })),
    `Content-Type: application/json\r\nX-Event: gone\r\nContent-Length: 14\r\n\r\n{"status":410}\r\n--${B}\r\n`,
  );
});

test('a heartbeat is a part without an event, an end is one that says when to come back', () => {
  assert.equal(mixed.heartbeat, `Content-Length: 0\r\n\r\n\r\n--${B}\r\n`);
  assert.equal(mixed.farewell(1_234.5), `X-Retry-Ms: 1235\r\n\r\n\r\n--${B}--\r\n`);
});

test('its type is one that browsers leave alone, and as a document it runs nothing', () => {
  assert.deepEqual(mixed.headers(OPTIONS), {
    'content-type': `multipart/mixed; boundary=${B}`,
    'content-security-policy': "sandbox; default-src 'none'",
  });
});

test('nothing but printable ASCII stands in a head', () => {
  for (const type of ['', 'text/é', 'a\r\nX-Event: gone', 'a\nb', 'a\0b', 'a\tb', 'a\x7f']) {
    const event = snapshot('a-1', 'x', type);
    assert.ok(frame(event).startsWith('Content-Type: application/octet-stream\r\nX-Event: snap'));
  }
  const { headers: _, ...bare } = snapshot('a-1', 'x');
  assert.match(frame({ ...bare, headers: {} }), /^Content-Type: application\/octet-stream\r\n/);
});

test('any bodies arrive whole for who goes by the length, the boundary in them too', () => {
  const state = fc.tuple(types, bodies(B, 1)).map(([type, body]) => ({ type, body }));
  fc.assert(
    fc.property(fc.array(state, { maxLength: 8 }), fc.nat(8), (states, beatAt) => {
      const events = states.map(({ type, body }, i) => snapshot(`a-${i}`, body, type));
      const pieces = [...stream(mixed, events)].map(({ bytes }) => bytes);
      pieces.splice(1 + Math.min(beatAt, states.length), 0, Buffer.from(String(mixed.heartbeat)));
      const parts = readByLength(Buffer.concat(pieces), B);
      const beats = parts.filter(({ fields }) => !fields.has('x-event'));
      assert.deepEqual(
        beats.map(({ body }) => body.length),
        [0],
      );
      const told = parts.filter(({ fields }) => fields.has('x-event'));
      assert.equal(told.length, states.length);
      for (const [i, { fields, body }] of told.entries()) {
        assert.equal(fields.get('x-event'), 'snapshot');
        assert.equal(fields.get('x-event-id'), `a-${i}`);
        assert.ok(body.equals(states[i]?.body ?? Buffer.alloc(0)));
      }
    }),
  );
});
