import assert from 'node:assert/strict';
import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { jsonSnapshot, snapshot } from '../protocol/events.ts';

/** What a callback was called with, running a JSONP answer in a page of its own. */
export function runScript(source: string, callback: string): unknown[] {
  const calls: unknown[] = [];
  const page = { [callback]: (value: unknown) => calls.push(fromPage(value)) };
  runInContext(source, createContext(page));
  return calls;
}

/** What a forever iframe told its page. */
export interface Told {
  readonly message: unknown;
  readonly target: unknown;
}

/** The script elements of a document, as an HTML tokenizer finds them; nothing else may open. */
export function scriptsOf(html: string): string[] {
  const scripts: string[] = [];
  const rest = html.replace(/<!--[\s\S]*?-->/, '').split(/<script>/i);
  for (const [i, piece] of rest.entries()) {
    if (i === 0) continue;
    const end = piece.search(/<\/script/i);
    assert.ok(end !== -1, 'an element is ended');
    const inside = piece.slice(0, end);
    assert.doesNotMatch(inside, /<!--|<script|<\//i, 'nothing of HTML is in a script');
    assert.equal(piece.slice(end), '</script>\n', 'a line end and nothing else between elements');
    scripts.push(inside);
  }
  return scripts;
}

/** Run the scripts of a sandboxed document: all that was posted. */
export function runPosts(html: string): Told[] {
  const told: Told[] = [];
  const post = (message: unknown, target: unknown) =>
    told.push({ message: fromPage(message), target });
  runAll(html, { parent: { postMessage: post } });
  return told;
}

/** Run the scripts of a direct document: all that the parent's function was called with. */
export function runCalls(html: string, frame: number): unknown[] {
  const calls: unknown[] = [];
  runAll(html, {
    parent: { cometFrames: { [frame]: (text: unknown) => calls.push(fromPage(text)) } },
  });
  return calls;
}

function runAll(html: string, page: Record<string, unknown>): void {
  const scripts = scriptsOf(html);
  let removed = 0;
  const currentScript = { remove: () => (removed += 1) };
  const context = createContext({ ...page, document: { currentScript } });
  for (const script of scripts) runInContext(script, context);
  assert.equal(removed, scripts.length, 'an element that has run is taken out');
}

/** Objects of another realm have other prototypes: the same value, of ours. */
function fromPage(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Texts with all that could end a string, a script or a comment. */
const nasty = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('</script>', '<!--<script>', '-->', ']]>', '&quot;', '\\', '"', "'", '`'),
      fc.constantFrom(
        '\u2028',
        '\u2029',
        '\n',
        '\r',
        '\0',
        '\u007f',
        '\ud83d\ude00',
        '\ufeff',
        '$&',
      ),
      fc.constantFrom('\\u0022', '\\"', '$1', '*/', '//', '%3c', '</SCRIPT '),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(''));

const json = fc
  .oneof(
    fc.jsonValue({ stringUnit: 'binary' }),
    nasty,
    fc.dictionary(fc.oneof(nasty, fc.constantFrom('__proto__', 'constructor')), fc.jsonValue()),
  )
  .map((value) => JSON.stringify(value));
const proto = fc.constant('{"__proto__":{"polluted":true},"a":[{"__proto__":null}]}');

/** Events of any content: JSON as the site wrote it, texts, and bytes. */
export const anyEvents = fc.array(
  fc.oneof(
    fc.oneof(json, proto).map((text) => jsonSnapshot('a-1', text)),
    nasty.map((text) => snapshot('a-1', Buffer.from(text).toString())),
    fc.uint8Array().map((bytes) => snapshot('a-1', bytes, 'image/png')),
  ),
  { maxLength: 4 },
);

/** A URL of a live endpoint with anything in it that a client may send. */
export const anyUrl = nasty.map((text) => `/x?q=${text}`);
