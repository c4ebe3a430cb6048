import assert from 'node:assert/strict';
import { StringDecoder } from 'node:string_decoder';
import { createContext, runInContext, runInNewContext } from 'node:vm';
import { createParser } from 'eventsource-parser';
import type { Hear, Told } from './heard.ts';
import { bareTold, heardIn, heardInBatch } from './heard.ts';

/*
 * Readers of every framing, after docs/protocol.md and as strict as a client may be. They share
 * nothing with the proxy's own writing or reading side: a mistake that both of those make must show.
 */

/** Turns the bytes of one answer into what is heard. */
export type Decode = (hear: Hear, contentType: string) => (bytes: Buffer) => void;

/** Events with a state carry its id, and no others do. */
const WITH_STATE = ['message', 'patch'];

/** Server-sent events whose data are envelopes. */
export const envelopedEvents: Decode = (hear) =>
  events(hear, (type, data, id) => {
    const heard = heardIn(data);
    assert.ok(heard.kind === 'event');
    const { told } = heard;
    assert.equal(type, told.event === 'snapshot' ? 'message' : told.event);
    assert.equal(id, WITH_STATE.includes(type) ? told.id : undefined);
    return told;
  });

/** Server-sent events whose data are bodies. */
export const bareEvents: Decode = (hear) =>
  events(hear, (type, data, id) => {
    assert.equal(id !== undefined, WITH_STATE.includes(type));
    return bareTold(type === 'message' ? 'snapshot' : type, Buffer.from(data), id);
  });

function events(
  hear: Hear,
  told: (type: string, data: string, id: string | undefined) => Told,
): (bytes: Buffer) => void {
  const parser = createParser({
    onEvent: ({ event = 'message', data, id }) =>
      hear({ kind: 'event', told: told(event, data, id) }),
    onRetry: (retryMs) => hear({ kind: 'retry', retryMs }),
    onComment: (comment) => {
      if (comment === '') hear({ kind: 'heartbeat' });
    },
    onError: (error) => assert.fail(error),
  });
  return ofText((text) => parser.feed(text));
}

/** An envelope a line; the first line is the prelude. */
export const lines: Decode = (hear) => {
  let rest = '';
  let count = 0;
  return ofText((text) => {
    const all = (rest + text).split('\n');
    rest = all.pop() ?? '';
    for (const line of all) {
      if (line !== '') hear(heardIn(line));
      else if (count > 0) hear({ kind: 'heartbeat' });
      count += 1;
    }
  });
};

/** A document whose scripts are run, as a browser would. */
export const iframe: Decode = (hear) => {
  let calls = 0;
  const postMessage = (message: { comet: number; envelope: string | null }, target: string) => {
    assert.equal(message.comet, 0);
    assert.match(target, /^http:\/\/127\.0\.0\.1:\d+$/);
    if (message.envelope !== null) hear(heardIn(message.envelope));
    else if (calls > 0) hear({ kind: 'heartbeat' });
    calls += 1;
  };
  const page = createContext({ parent: { postMessage }, document: { currentScript: null } });
  const element = /<script>([\s\S]*?)<\/script/g;
  let rest = '';
  return ofText((text) => {
    rest += text;
    let end = 0;
    for (const match of rest.matchAll(element)) {
      const [all, script = ''] = match;
      // Where these stand in a script element, the next `</script>` does not end it.
      assert.doesNotMatch(script, /<!--|<script/);
      if (calls > 0) assert.match(rest.slice(end, match.index), /^(?:>\n)?$/);
      runInContext(script, page);
      end = match.index + all.length;
    }
    rest = rest.slice(end);
  });
};

/** Parts that have their length; between them nothing but their delimiters. */
export const parts: Decode = (hear, contentType) => {
  const delimiter = `--${/^multipart\/mixed; boundary=(\w+)$/.exec(contentType)?.[1]}`;
  let rest: Buffer = Buffer.alloc(0);

  function take(): Buffer | undefined {
    const headEnd = rest.indexOf('\r\n\r\n');
    if (headEnd === -1) return undefined;
    const [first, ...fields] = rest.subarray(0, headEnd).toString('latin1').split('\r\n');
    if (first === `${delimiter}--`) return undefined;
    assert.equal(first, delimiter);
    const headers = new Map(fields.map((line) => line.split(': ') as [string, string]));
    const bodyEnd = headEnd + 4 + Number(headers.get('Content-Length') ?? 0);
    if (rest.length < bodyEnd + 2) return undefined;
    assert.equal(rest.toString('latin1', bodyEnd, bodyEnd + 2), '\r\n');
    hearPart(headers, rest.subarray(headEnd + 4, bodyEnd));
    return rest.subarray(bodyEnd + 2);
  }
  function hearPart(headers: ReadonlyMap<string, string>, body: Buffer): void {
    const event = headers.get('X-Event');
    const retryMs = headers.get('X-Retry-Ms');
    const type = headers.get('Content-Type');
    if (retryMs !== undefined) return hear({ kind: 'retry', retryMs: Number(retryMs) });
    if (event === undefined) return hear({ kind: 'heartbeat' });
    assert.ok(type);
    const told = bareTold(event, Buffer.from(body), headers.get('X-Event-Id'));
    hear({ kind: 'event', told: { ...told, contentType: type } });
  }
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (let left = take(); left; left = take()) rest = left;
  };
};

/** The whole body of a long poll. */
export function heardInReply(text: string, isScript: boolean) {
  if (!isScript) return heardInBatch(text);
  assert.match(text, /^[\n -~]*$/, 'a script that any charset leaves as it is');
  assert.doesNotMatch(text, /[<>]/);
  const texts: string[] = [];
  const values: unknown[] = [];
  const parse = (json: string) => texts.push(json);
  runInNewContext(text, { JSON: { parse }, got: (value: unknown) => values.push(value) });
  assert.deepEqual([texts.length, values.length], [1, 1], 'one call of the callback');
  return heardInBatch(texts[0] ?? '');
}

/** Characters may be split between two pieces. */
function ofText(read: (text: string) => void): (bytes: Buffer) => void {
  const decoder = new StringDecoder('utf8');
  return (bytes) => read(decoder.write(bytes));
}
