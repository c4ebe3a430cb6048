import { StringDecoder } from 'node:string_decoder';
import { createParser } from 'eventsource-parser';
import { isJson, textEncoding } from '../shared/media-type.ts';
import { createMultipartParser } from './multipart-parser.ts';
import type { Item, Received } from './received.ts';
import { itemOf } from './received.ts';

/** Turns the bytes of a stream into items, as they arrive. @throws as `itemOf`. */
export type Decoder = (bytes: Buffer) => void;

/** Make a decoder that gives each item to `push`. */
export type CreateDecoder = (push: (item: Item) => void, contentType: string) => Decoder;

/** Server-sent events whose data are envelopes. */
export const decodeSse: CreateDecoder = (push) => {
  const parser = createParser({
    onEvent: ({ data }) => push(itemOf(data)),
    onRetry: (retryMs) => push({ kind: 'retry', retryMs }),
    onComment: (text) => {
      if (!['', 'ok'].includes(text.trim())) push({ kind: 'note', text: text.trim() });
    },
  });
  return ofText((text) => parser.feed(text));
};

/** An envelope a line. */
export const decodeLines: CreateDecoder = (push) => {
  let rest = '';
  return ofText((text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') push(itemOf(line));
  });
};

/** The script elements of a forever iframe. */
export const decodeIframe: CreateDecoder = (push) => {
  const call = /<script>p\(("(?:[^"\\]|\\.)*")\)<\/script>\n/g;
  let rest = '';
  return ofText((text) => {
    rest += text;
    let end = 0;
    for (const match of rest.matchAll(call)) {
      push(itemOf(JSON.parse(match[1] ?? '') as string));
      end = match.index + match[0].length;
    }
    rest = rest.slice(end);
  });
};

/** `multipart/mixed` whose parts are events. */
export const decodeMultipart: CreateDecoder = (push, contentType) => {
  const boundary = /boundary=([^;\s]+)/.exec(contentType)?.[1] ?? '';
  return createMultipartParser(boundary, ({ headers, body }) => {
    const retryMs = headers.get('x-retry-ms');
    if (retryMs !== undefined) push({ kind: 'retry', retryMs: Number(retryMs) });
    const event = headers.get('x-event');
    if (event === undefined) return;
    const id = headers.get('x-event-id');
    const data = partData(headers.get('content-type') ?? '', body);
    push({ kind: 'event', event: { ...(id === undefined ? {} : { id }), event, ...data } });
  });
};

/** The same members that an envelope would have. */
function partData(
  contentType: string,
  body: Buffer,
): Pick<Received, 'data' | 'contentType' | 'encoding'> {
  // As the envelope of the other transports has it.
  if (textEncoding(contentType, body) === 'base64') {
    return { contentType, encoding: 'base64', data: body.toString('base64') };
  }
  const text = body.toString('utf8');
  if (isJson(contentType)) {
    try {
      return { data: JSON.parse(text) as unknown };
    } catch {
      // it only calls itself JSON: it is a text
    }
  }
  return { contentType, data: text };
}

/** Characters may be split between two pieces. */
function ofText(read: (text: string) => void): Decoder {
  const decoder = new StringDecoder('utf8');
  return (bytes) => read(decoder.write(bytes));
}
