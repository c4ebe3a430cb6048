import type { ChannelEvent } from '../../src/protocol/event.ts';

/** Make a snapshot of text. The text defaults to the id, so that every state is another one. */
export function snapshot(
  id: string,
  data: string | Uint8Array = id,
  contentType = 'text/plain; charset=utf-8',
): ChannelEvent {
  return {
    type: 'snapshot',
    id,
    data: typeof data === 'string' ? Buffer.from(data) : data,
    encoding: typeof data === 'string' ? 'utf8' : 'base64',
    headers: { 'content-type': contentType },
    status: 200,
  };
}

/** Make a snapshot of a JSON text. */
export function jsonSnapshot(id: string, text: string): ChannelEvent {
  return snapshot(id, text, 'application/json');
}

/** Type and id, for lists that are compared: `snapshot a-1`, `stale`. */
export function label({ type, id }: ChannelEvent): string {
  return id === undefined ? type : `${type} ${id}`;
}
