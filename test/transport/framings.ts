import assert from 'node:assert/strict';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import type { Framer } from '../../src/transport/coding.ts';
import type { FramingOptions } from '../../src/transport/framing.ts';

/** What a framing is told when a test says nothing else. */
export const OPTIONS: FramingOptions = {
  retryMs: 2_000,
  paddingBytes: 0,
  callback: 'got',
  frame: 7,
  page: 'https://shop.example',
  isForeign: false,
};

/** The bytes of an event that the transport has a way to say. */
export function frameBytes(framing: Framer, event: ChannelEvent, url = '/x'): Buffer {
  const bytes = framing.frame(event, url);
  assert.ok(bytes, 'the transport has no way to say it');
  return bytes;
}
