/**
 * What an event says. `snapshot` carries the whole state; `patch` stands for a snapshot where the
 * client has the state before it, and is never published by itself; `stale` and `fresh` say that the upstream fails and that it works again; `unauthorized`,
 * `gone` and `personal` are the last words of a channel.
 */
export type EventType = 'snapshot' | 'patch' | LastWord | 'stale' | 'fresh';

/** What a channel says when it has nothing more to say: refused, not there, meant for one client only. */
export type LastWord = 'unauthorized' | 'gone' | 'personal';

/** One event of one channel, as every subscriber on every node sees it. Never changed once made. */
export interface ChannelEvent {
  readonly type: EventType;
  /**
   * Opaque to clients: what a subscriber has after this event. `<epoch>-<seq>` is a state; the id of
   * a `stale` is made by `staleId`. Absent from a `fresh` or a last word where no state is known.
   */
  readonly id?: string;
  /**
   * Snapshot: the upstream's body as it was. Others: a JSON text. Bytes are UTF-8 text where
   * `encoding` is `utf8`, anything at all where it is `base64`.
   */
  readonly data: Uint8Array;
  /** How `data` travels inside text: as it is, or in base64. */
  readonly encoding: 'utf8' | 'base64';
  /**
   * Headers that describe the state and may be shown to everybody who shares it, names in lower
   * case: `content-type`, and of a snapshot also `etag`, `last-modified`, `content-language`,
   * `cache-control`, `vary` where the upstream gave them.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** Of a snapshot: the status that the upstream gave with it. */
  readonly status?: 200 | 204;
  /** Of a snapshot: the same change in fewer bytes, for who has the state before it. */
  readonly patch?: Patch;
}

/** A way from one state to the next. */
export interface Patch {
  /** The id of the state that it applies to. */
  readonly base: string;
  /** A `patch` with the id of the snapshot that it leads to. */
  readonly event: ChannelEvent;
}

/** The formats of patches, with their media types (RFC 6902 §6, RFC 7386 §4). */
export const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
} as const;

const encoder = new TextEncoder();

/** Make the `patch` of a snapshot. @param text - The patch as JSON. */
export function patchEvent(
  format: keyof typeof PATCH_TYPES,
  id: string,
  text: string,
): ChannelEvent {
  return {
    type: 'patch',
    id,
    data: encoder.encode(text),
    encoding: 'utf8',
    headers: { 'content-type': PATCH_TYPES[format] },
  };
}

/**
 * Make an event that carries no state.
 *
 * @param id - Of the state that is known, if any; of a `stale` made by `staleId`.
 * @param data - What clients are told, as JSON: a code, a status; nothing of the inside.
 */
export function controlEvent(
  type: Exclude<EventType, 'snapshot' | 'patch'>,
  id: string | undefined,
  data: Readonly<Record<string, string | number>>,
): ChannelEvent {
  return {
    type,
    ...(id === undefined ? {} : { id }),
    data: encoder.encode(JSON.stringify(data)),
    encoding: 'utf8',
    headers: { 'content-type': 'application/json' },
  };
}

const LAST_WORDS: ReadonlySet<string> = new Set<EventType>(['unauthorized', 'gone', 'personal']);

/** True for the events that end a channel: nothing follows them. */
export function isLastWord({ type }: { readonly type: string }): boolean {
  return LAST_WORDS.has(type);
}

/** True for the events that carry state and so move a subscriber's cursor. */
export function carriesState(event: ChannelEvent): boolean {
  return event.type === 'snapshot' || event.type === 'patch';
}
