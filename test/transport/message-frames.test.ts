import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import { deflatedMessage, message } from '../../src/transport/coding.ts';
import { bodies } from '../../src/transport/websocket.ts';
import { snapshot } from '../protocol/events.ts';

const COMPRESSED = 0x40;

const HEADS: [length: number, head: number[]][] = [
  [0, [0x81, 0]],
  [1, [0x81, 1]],
  [125, [0x81, 125]],
  [126, [0x81, 126, 0, 126]],
  [65_535, [0x81, 126, 0xff, 0xff]],
  [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
];
for (const [length, head] of HEADS) {
  test(`a message of ${length} bytes has the head ${Buffer.from(head).toString('hex')}`, () => {
    const { bytes, textBytes } = message.frameOf(bodies, snapshot('a-1', 'x'.repeat(length)), '/x');
    assert.deepEqual([...bytes.subarray(0, head.length)], head);
    assert.equal(bytes.subarray(head.length).toString(), 'x'.repeat(length));
    assert.equal(textBytes, length);
  });
}

test('what is not text is a binary message', () => {
  const event = snapshot('a-1', Buffer.from([0xff]), 'image/png');
  assert.deepEqual([...message.frameOf(bodies, event, '/x').bytes], [0x82, 1, 0xff]);
});

test('a compressed message says so, and is whole with the tail that its readers add', () => {
  for (const size of [200, 70_000]) {
    const text = 'again and '.repeat(size);
    const { bytes, textBytes } = deflatedMessage.frameOf(bodies, snapshot('a-1', text), '/x');
    assert.equal(bytes[0], 0x81 | COMPRESSED);
    const start = bytes[1] === 126 ? 4 : 2;
    const length = start === 4 ? bytes.readUInt16BE(2) : bytes[1];
    assert.equal(bytes.length, start + Number(length));
    const whole = Buffer.concat([bytes.subarray(start), Buffer.from([0, 0, 0xff, 0xff, 3, 0])]);
    assert.equal(inflateRawSync(whole).toString(), text);
    assert.equal(textBytes, text.length);
  }
});

test('a binary message is compressed as well', () => {
  const event = snapshot('a-1', Buffer.alloc(500, 0xff), 'image/bmp');
  const { bytes } = deflatedMessage.frameOf(bodies, event, '/x');
  assert.equal(bytes[0], 0x82 | COMPRESSED);
});

test('a message that does not get smaller is sent as it is', () => {
  for (const text of ['', 'x', '{"n":1}', 'qwertyuiop']) {
    const event = snapshot('a-1', text);
    const { bytes } = deflatedMessage.frameOf(bodies, event, '/x');
    assert.deepEqual(bytes, message.frameOf(bodies, event, '/x').bytes);
  }
});

test('no two messages share a context: each can be read alone', () => {
  const text = 'the same text, the same text, the same text, the same text';
  const [first, second] = ['a-1', 'a-2'].map(
    (id) => deflatedMessage.frameOf(bodies, snapshot(id, text), '/x').bytes,
  );
  assert.deepEqual(first, second);
});
