import { isAscii, isUtf8 } from 'node:buffer';
import { essence, isHtml } from './media-type.ts';

/**
 * The text of a body, or `undefined` when it is none: its bytes are invalid in its charset, nobody
 * knows the charset, or it is a picture or the like.
 *
 * A byte order mark is no part of the text.
 */
export function decodeText(body: Buffer, contentType: string): string | undefined {
  const charset = charsetOf(body, contentType);
  if (charset === 'utf-8') return isUtf8(body) ? withoutMark(body.toString('utf8')) : undefined;
  if (charset === 'windows-1252') return decodeWindows1252(body);
  if (charset === undefined) return undefined;
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch {
    return undefined; // bytes that do not exist in this charset
  }
}

/**
 * The same text in UTF-8, with a type that says so, or `undefined` when the body is no text. What a
 * document says of itself stays as it is: a header is believed more.
 */
export function inUtf8(
  body: Buffer,
  contentType: string,
): { readonly body: Buffer; readonly contentType: string } | undefined {
  const text = decodeText(body, contentType);
  if (text === undefined) return undefined;
  const others = contentType
    .split(';')
    .map((piece) => piece.trim())
    .filter((piece) => !/^charset\s*=/i.test(piece));
  return { body: Buffer.from(text), contentType: [...others, 'charset=utf-8'].join('; ') };
}

/**
 * The charset by which the text of a body is read, under its name in the Encoding Standard
 * (`windows-1252` for `ISO-8859-1`), or `undefined` when the body is no text.
 *
 * By a byte order mark, by the `charset` of the header, by what an HTML or XML document says of
 * itself, else UTF-8 where the bytes are that; an HTML document that does not say and is no UTF-8
 * is windows-1252, as in browsers. JSON says nothing of itself: it is UTF-8 (RFC 8259 §8.1) unless
 * a header says otherwise.
 *
 * @see https://encoding.spec.whatwg.org/#names-and-labels
 */
export function charsetOf(body: Buffer, contentType: string): string | undefined {
  const label = charsetLabel(contentType);
  const mark = charsetOfMark(body);
  // In the types of no text, two bytes are no mark but a chance.
  if (mark && (mark === 'utf-8' || label !== undefined || isTextual(contentType))) return mark;
  if (label === 'utf-8') return label;
  if (label !== undefined) return charsetByLabel(label, body, contentType);
  return (
    charsetOfDocument(body, contentType) ??
    utf8(body) ??
    (isHtml(contentType) ? 'windows-1252' : undefined)
  );
}

/** The `charset` parameter of a `Content-Type` in lower case, `utf-8` in that spelling. */
export function charsetLabel(contentType: string): string | undefined {
  if (!contentType.includes(';')) return undefined;
  const parameters = contentType.slice(contentType.indexOf(';'));
  const label = CHARSET.exec(parameters)?.[1]?.toLowerCase();
  return label === 'utf8' ? 'utf-8' : label;
}

const CHARSET = /(?:^|[\s;])charset\s*=\s*["']?([^\s;"']+)/i;

/** Is an ASCII text the same bytes in the charset of this type, and do they mean nothing else there? */
export function isReadAsAscii(contentType: string): boolean {
  return !NO_ASCII.test(charsetLabel(contentType) ?? 'utf-8');
}

/** Charsets in which ASCII is other bytes, or escapes to other characters. */
const NO_ASCII = /^(?:utf-?(?:7|16|32)|ucs|unicode|ebcdic|cp-?037|ibm-?0?37|hz|iso-2022)/;

const TEXTUAL =
  /^text\/|[/+](?:json|xml)$|^application\/(?:(?:x-)?(?:java|ecma)script|x-www-form-urlencoded|x-ndjson|yaml)$/;

/** How far browsers look for what a document says of itself. */
const PRESCAN_BYTES = 1_024;

function charsetOfMark(body: Buffer): string | undefined {
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) return 'utf-8';
  if (body[0] === 0xff && body[1] === 0xfe) return 'utf-16le';
  return body[0] === 0xfe && body[1] === 0xff ? 'utf-16be' : undefined;
}

function charsetByLabel(label: string, body: Buffer, contentType: string): string | undefined {
  const charset = known(label);
  // A charset is a promise about texts; careless configurations make it for pictures too.
  if (charset) return isMedia(contentType) ? utf8(body) : charset;
  // In nearly every charset an ASCII text is the same bytes.
  return isAscii(body) && !NO_ASCII.test(label) ? 'utf-8' : undefined;
}

function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function utf8(body: Buffer): string | undefined {
  return isUtf8(body) ? 'utf-8' : undefined;
}

/** The standard's name of a charset that can be decoded. */
function known(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

/** True for types that are texts by their definition. */
function isTextual(contentType: string): boolean {
  return TEXTUAL.test(essence(contentType));
}

/** Pictures, sounds and fonts, but not those that are XML. */
function isMedia(contentType: string): boolean {
  const type = essence(contentType);
  return /^(?:image|audio|video|font|model)\//.test(type) && !type.endsWith('+xml');
}

function charsetOfDocument(body: Buffer, contentType: string): string | undefined {
  const isDocument = isHtml(contentType);
  if (!isDocument && !isXml(contentType)) return undefined;
  const start = body.toString('latin1', 0, PRESCAN_BYTES);
  const label = labelOfXml(start) ?? (isDocument ? labelOfHtml(start) : undefined);
  const charset = label === undefined ? undefined : known(label);
  // What can be read byte by byte until here is no UTF-16, whatever it says.
  return charset?.startsWith('utf-16') ? 'utf-8' : charset;
}

/** True for XML, XHTML apart: `application/xml`, `text/xml`, `…+xml`. */
export function isXml(contentType: string): boolean {
  if (isHtml(contentType)) return false;
  const type = essence(contentType);
  return type === 'application/xml' || type === 'text/xml' || type.endsWith('+xml');
}

function labelOfXml(start: string): string | undefined {
  return /^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.:-]+)["']/.exec(start)?.[1];
}

const META = /<meta[\s/]((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
const ATTRIBUTE = /([^\s=/"'>]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g;

/** `<meta charset="…">`, or `<meta http-equiv="content-type" content="text/html; charset=…">`. */
function labelOfHtml(start: string): string | undefined {
  for (const [, inside = ''] of start.replace(/<!--.*?-->/gs, '').matchAll(META)) {
    const attributes = new Map<string, string>();
    for (const [, name = '', double, single, bare] of inside.matchAll(ATTRIBUTE)) {
      attributes.set(name.toLowerCase(), double ?? single ?? bare ?? '');
    }
    const charset = attributes.get('charset')?.trim();
    if (charset) return charset;
    if (attributes.get('http-equiv')?.toLowerCase() !== 'content-type') continue;
    const label = CHARSET.exec(attributes.get('content') ?? '')?.[1];
    if (label) return label;
  }
  return undefined;
}

/** What the bytes 0x80 to 0x9F are: controls in ISO-8859-1, these in windows-1252. */
const HIGH = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

/**
 * Node's own decoder takes windows-1252 for ISO-8859-1 since 20.18.3.
 *
 * @see https://github.com/nodejs/node/issues/60888
 */
function decodeWindows1252(body: Buffer): string {
  return body
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (control) => HIGH[control.charCodeAt(0) - 0x80] ?? control);
}
