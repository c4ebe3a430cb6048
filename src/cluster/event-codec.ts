import type { ChannelEvent, Patch } from '../protocol/event.ts';

/*
 * An event between the processes of one machine: the length of its head (4 bytes), the head as JSON,
 * its data as they are, the data of its patch.
 */

/** What of an event is not its data. */
type Head = Omit<ChannelEvent, 'data' | 'patch'> & {
  readonly bytes: number;
  readonly patch?: { readonly base: string; readonly event: Head };
};

const LENGTH_BYTES = 4;

/** Made once for all who get the event; its data are not copied. */
const heads = new WeakMap<ChannelEvent, Buffer>();

/** An event in parts, to be written one after the other. */
export function encodeEvent(event: ChannelEvent): Uint8Array[] {
  let head = heads.get(event);
  if (!head) {
    const text = JSON.stringify(headOf(event));
    head = Buffer.alloc(LENGTH_BYTES + Buffer.byteLength(text));
    head.writeUInt32BE(head.length - LENGTH_BYTES);
    head.write(text, LENGTH_BYTES);
    heads.set(event, head);
  }
  return event.patch ? [head, event.data, event.patch.event.data] : [head, event.data];
}

/** The event that these bytes are. @throws when they are none. */
export function decodeEvent(bytes: Buffer): ChannelEvent {
  const headEnd = LENGTH_BYTES + bytes.readUInt32BE(0);
  const head = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, headEnd)) as Head;
  const dataBytes = head.bytes + (head.patch?.event.bytes ?? 0);
  if (headEnd + dataBytes !== bytes.length) throw new Error('an event that is cut off');
  return eventFrom(head, bytes.subarray(headEnd));
}

/** Several events, each after its length. */
export function encodeEvents(events: readonly ChannelEvent[]): Uint8Array[] {
  return events.flatMap((event) => {
    const parts = encodeEvent(event);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(parts.reduce((sum, part) => sum + part.length, 0));
    return [length, ...parts];
  });
}

/** The events that these bytes are. @throws when they are none. */
export function decodeEvents(bytes: Buffer): ChannelEvent[] {
  const events: ChannelEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + LENGTH_BYTES;
    at = start + bytes.readUInt32BE(at);
    if (at > bytes.length) throw new Error('events that are cut off');
    events.push(decodeEvent(bytes.subarray(start, at)));
  }
  return events;
}

function headOf({ data, patch, ...head }: ChannelEvent): Head {
  const { base, event } = patch ?? {};
  const own = { ...head, bytes: data.length };
  return base === undefined || !event ? own : { ...own, patch: { base, event: headOf(event) } };
}

function eventFrom({ bytes, patch, ...head }: Head, data: Buffer): ChannelEvent {
  // Its own memory: a view would keep all that came with it.
  const event = { ...head, data: Uint8Array.prototype.slice.call(data, 0, bytes) };
  return patch ? { ...event, patch: patchFrom(patch, data.subarray(bytes)) } : event;
}

function patchFrom({ base, event }: NonNullable<Head['patch']>, data: Buffer): Patch {
  return { base, event: eventFrom(event, data) };
}
