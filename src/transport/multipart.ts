import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ChannelEvent } from '../protocol/event.ts';
import { view } from './envelope.ts';
import type { StreamFraming } from './framing.ts';

/*
 * Multipart (RFC 2046 §5.1): each state is a part, its body and type as the upstream gave them. The
 * boundary is the same for everybody, so that parts can be shared, and not to be guessed.
 */
const BOUNDARY = randomBytes(16).toString('hex');
const DELIMITER = `--${BOUNDARY}\r\n`;

const shared = {
  delivery: 'stream',
  carriesBinary: true,
  prelude: () => DELIMITER,
} as const satisfies Partial<StreamFraming>;

/**
 * For readers that are programs: parts have their length, their event and its id. Not
 * `x-mixed-replace`: WebKit cancels every load of that type that is not for an image.
 */
export const mixed: StreamFraming = {
  ...shared,
  name: 'multipart-mixed',
  isCompressible: true,
  carriesPatches: true,
  heartbeat: `Content-Length: 0\r\n\r\n\r\n${DELIMITER}`,
  headers: () => headersOf('mixed'),
  frame(event) {
    const id = event.id === undefined ? '' : `X-Event-Id: ${event.id}\r\n`;
    const head = `Content-Type: ${typeOf(event)}\r\nX-Event: ${event.type}\r\n${id}`;
    const length = `Content-Length: ${event.data.length}\r\n\r\n`;
    return part(`${head}${length}`, event, `\r\n${DELIMITER}`);
  },
  farewell(retryMs) {
    const head = retryMs === undefined ? '' : `X-Retry-Ms: ${Math.round(retryMs)}\r\n`;
    return `${head}\r\n\r\n--${BOUNDARY}--\r\n`;
  },
};

/**
 * For image elements, where each part replaces the one before it: server push as of 1995. What is
 * no state cannot be shown by an image and is not sent.
 *
 * Browsers show a part when they have seen the head of the next one, so that head is written at
 * once, with the same type: else every image would be shown one change late.
 */
export const mixedReplace: StreamFraming = {
  ...shared,
  name: 'multipart',
  isCompressible: false,
  carriesPatches: false,
  // Until there is an image: a field that nobody knows, in the head of the part that is to come.
  heartbeat: 'X-Heartbeat: 1\r\n',
  headers: () => headersOf('x-mixed-replace'),
  frame: (event) => replacing(`Content-Type: ${typeOf(event)}\r\n\r\n`, event),
  farewell: () => `\r\n\r\n--${BOUNDARY}--\r\n`,
  after: (event) => (isShown(event) ? opened(typeOf(event)) : mixedReplace),
};

function headersOf(subtype: string) {
  return {
    'content-type': `multipart/${subtype}; boundary=${BOUNDARY}`,
    // SECURITY: opened as a document a part could be a page with scripts, on the site's origin.
    'content-security-policy': "sandbox; default-src 'none'",
  };
}

/** The framings of streams whose next part is begun already, by its type. */
const openedAs = new LRUCache<string, StreamFraming>({ max: 100 });

function opened(type: string): StreamFraming {
  const existing = openedAs.get(type);
  if (existing) return existing;
  const next = new WeakMap<ChannelEvent, StreamFraming>();
  const framing: StreamFraming = {
    ...mixedReplace,
    heartbeat: undefined, // any byte would be one of the next image's
    farewell: () => `\r\n--${BOUNDARY}--\r\n`, // not a byte into the part that is begun
    frame(event) {
      const image = follows(event, type) ? replacing('', event) : undefined;
      if (!image || typeOf(event) === type) return image;
      // Of another type: it fills what was begun, and comes once more under its own name. Chromium
      // goes by the bytes, and never recovers from a part that is left empty.
      return Buffer.concat([image, image]);
    },
    // Asked for each subscriber.
    after(event) {
      let found = next.get(event);
      if (found) return found;
      found = follows(event, type) ? opened(typeOf(event)) : framing;
      next.set(event, found);
      return found;
    },
  };
  openedAs.set(type, framing);
  return framing;
}

function replacing(head: string, event: ChannelEvent): Buffer | undefined {
  if (!isShown(event)) return undefined;
  return part(head, event, `\r\n${DELIMITER}Content-Type: ${typeOf(event)}\r\n\r\n`);
}

/** May this event come in place of a body of that type? Only an image in place of an image. */
function follows(event: ChannelEvent, type: string): boolean {
  return isShown(event) && (isImage(typeOf(event)) || !isImage(type));
}

/** Asked for each subscriber: what needs a look at every byte is looked up. */
const shown = new WeakMap<ChannelEvent, boolean>();

/**
 * Whether an event is a body that can be shown. An empty one would break the image for good.
 *
 * SECURITY: without a length the boundary alone tells where a part ends, and every reader knows it:
 * a body that holds it would be taken for parts of ours.
 */
function isShown(event: ChannelEvent): boolean {
  if (event.type !== 'snapshot' || event.data.length === 0) return false;
  const known = shown.get(event);
  if (known !== undefined) return known;
  const isSafe = !view(event.data).includes(BOUNDARY);
  shown.set(event, isSafe);
  return isSafe;
}

function isImage(type: string): boolean {
  return type.toLowerCase().startsWith('image/');
}

function part(head: string, event: ChannelEvent, end: string): Buffer {
  return Buffer.concat([Buffer.from(head), view(event.data), Buffer.from(end)]);
}

/** SECURITY: nothing but printable ASCII may stand in a head that we write. */
function typeOf(event: ChannelEvent): string {
  const type = event.headers['content-type'] ?? '';
  return /^[\x20-\x7e]+$/.test(type) ? type : 'application/octet-stream';
}
