import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode, frameOf } from '../../src/transport/frames.ts';
import { ndjson } from '../../src/transport/ndjson.ts';
import { bareSse, sse } from '../../src/transport/sse.ts';
import { transports } from '../../src/transport/transports.ts';
import { jsonSnapshot } from '../protocol/events.ts';

test('a chunk has its size in bare hexadecimal, counted in bytes', () => {
  assert.equal(encode('chunked', 'hello').toString(), '5\r\nhello\r\n');
  assert.equal(encode('chunked', 'é').toString(), '2\r\né\r\n');
  const large = encode('chunked', Buffer.alloc(300_000, 'x')).toString();
  assert.ok(large.startsWith('493e0\r\nx') && large.endsWith('x\r\n'));
});

test('an empty chunk is not written: it would end the answer', () => {
  for (const coding of ['chunked', 'raw'] as const) assert.equal(encode(coding, '').length, 0);
});

test('raw bytes are as they are', () => {
  const bytes = Buffer.from('hello');
  assert.equal(encode('raw', bytes), bytes);
  assert.equal(encode('raw', 'hello').toString(), 'hello');
});

test('a frame is the framing of its event in its coding', () => {
  const event = jsonSnapshot('a-1', '1');
  assert.equal(frameOf(bareSse, 'raw', event, '/x').toString(), 'id: a-1\ndata: 1\n\n');
  assert.equal(
    frameOf(bareSse, 'chunked', event, '/x').toString(),
    '11\r\nid: a-1\ndata: 1\n\n\r\n',
  );
});

test('everybody who gets an event in one form gets the identical Buffer', () => {
  const event = jsonSnapshot('a-1', '1');
  const first = frameOf(ndjson, 'chunked', event, '/x');
  assert.equal(frameOf(ndjson, 'chunked', event, '/x'), first);
});

test('another coding, framing or event is another frame', () => {
  const event = jsonSnapshot('a-1', '1');
  const frames = [
    frameOf(sse, 'chunked', event, '/x'),
    frameOf(sse, 'raw', event, '/x'),
    frameOf(bareSse, 'chunked', event, '/x'),
    frameOf(ndjson, 'chunked', event, '/x'),
    frameOf(sse, 'chunked', jsonSnapshot('a-1', '2'), '/x'),
  ];
  assert.equal(new Set(frames.map(String)).size, frames.length);
});

test('framings have names of their own', () => {
  const names = [bareSse, ...Object.values(transports)].map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

test('each transport of the surface has its own framing', () => {
  for (const [name, framing] of Object.entries(transports)) {
    assert.equal(framing.transport, name);
    assert.ok(framing.carriesBinary);
  }
});
