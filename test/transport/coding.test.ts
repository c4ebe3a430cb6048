import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunked, message, raw } from '../../src/transport/coding.ts';
import { sandboxedIframe } from '../../src/transport/iframe.ts';
import { jsonp } from '../../src/transport/jsonp.ts';
import { mixed, mixedReplace } from '../../src/transport/multipart.ts';
import { ndjson } from '../../src/transport/ndjson.ts';
import { poll } from '../../src/transport/poll.ts';
import { bareSse, sse } from '../../src/transport/sse.ts';
import { httpTransports } from '../../src/transport/transports.ts';
import { jsonSnapshot } from '../protocol/events.ts';

test('a chunk has its size in bare hexadecimal, counted in bytes', () => {
  assert.equal(chunked.encode('hello').bytes.toString(), '5\r\nhello\r\n');
  assert.equal(chunked.encode('é').bytes.toString(), '2\r\né\r\n');
  const large = chunked.encode(Buffer.alloc(300_000, 'x')).bytes.toString();
  assert.ok(large.startsWith('493e0\r\nx') && large.endsWith('x\r\n'));
});

test('an empty chunk is not written: it would end the answer', () => {
  for (const coding of [chunked, raw]) assert.equal(coding.encode('').bytes.length, 0);
});

test('raw bytes are as they are', () => {
  const bytes = Buffer.from('hello');
  assert.equal(raw.encode(bytes).bytes, bytes);
  assert.equal(raw.encode('hello').bytes.toString(), 'hello');
});

test('a frame is the framing of its event in its coding', () => {
  const event = jsonSnapshot('a-1', '1');
  assert.equal(raw.frameOf(bareSse, event, '/x').bytes.toString(), 'id: a-1\ndata: 1\n\n');
  assert.equal(
    chunked.frameOf(bareSse, event, '/x').bytes.toString(),
    '11\r\nid: a-1\ndata: 1\n\n\r\n',
  );
});

test('everybody who gets an event in one form gets the identical Buffer', () => {
  const event = jsonSnapshot('a-1', '1');
  const first = chunked.frameOf(ndjson, event, '/x');
  assert.equal(chunked.frameOf(ndjson, event, '/x'), first);
});

test('another coding, framing or event is another frame', () => {
  const event = jsonSnapshot('a-1', '1');
  const frames = [
    chunked.frameOf(sse, event, '/x'),
    raw.frameOf(sse, event, '/x'),
    message.frameOf(sse, event, '/x'),
    chunked.frameOf(bareSse, event, '/x'),
    chunked.frameOf(ndjson, event, '/x'),
    chunked.frameOf(sse, jsonSnapshot('a-1', '2'), '/x'),
  ];
  assert.equal(new Set(frames.map(({ bytes }) => String(bytes))).size, frames.length);
});

test('framings have names of their own', () => {
  const names = [bareSse, sse, ndjson, mixed, mixedReplace, poll, jsonp, sandboxedIframe].map(
    ({ name }) => name,
  );
  assert.equal(new Set(names).size, names.length);
});

test('a transport under /_comet/ has a gate of its own kind', () => {
  const { sse: readers, stream, poll: polls, jsonp: script, iframe } = httpTransports;
  assert.equal(new Set([readers.gate, stream.gate, polls.gate]).size, 1);
  assert.equal(new Set([readers.gate, script.gate, iframe.gate]).size, 3);
});

test('each subscriber is told an event under the name that it has given the URL', () => {
  const event = jsonSnapshot('a-1', '1');
  for (const coding of [raw, chunked, message]) {
    const told = (url: string) => coding.frameOf(ndjson, event, url).bytes.toString('latin1');
    assert.match(told('/x#mine'), /"url":"\/x#mine"/);
    assert.match(told('/x#yours'), /"url":"\/x#yours"/);
    assert.match(told('/x#mine'), /"url":"\/x#mine"/);
  }
});

test('frames of more names than are kept are right all the same', () => {
  const event = jsonSnapshot('a-1', '1');
  for (let i = 0; i < 100; i++) {
    assert.ok(raw.frameOf(ndjson, event, `/x#n${i}`).bytes.includes(`"/x#n${i}"`));
  }
});
