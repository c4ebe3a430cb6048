import { isAscii, isUtf8 } from 'node:buffer';
import { essence } from '../shared/media-type.ts';
import type { Parameter } from './url-encoded.ts';
import { parseParameters } from './url-encoded.ts';

/** What a `POST` carries. */
export interface Content {
  /** `Content-Type`, if there is one. */
  readonly type: string | undefined;
  readonly bytes: Buffer;
}

/** The body of a request, as far as it can be looked into. */
export type RequestBody =
  /** An object or an array. */
  | { readonly kind: 'json'; readonly bytes: Uint8Array }
  | { readonly kind: 'form'; readonly text: string; readonly parameters: readonly Parameter[] }
  /** Everything else: XML, text, uploads, what is compressed or broken. */
  | { readonly kind: 'opaque' };

const AMPERSAND = 0x26;

const OPAQUE: RequestBody = { kind: 'opaque' };

/**
 * Look at the body of a request. JSON is known by itself: pages send it as `json`, as `text/plain`
 * and as a form.
 *
 * SECURITY: what the site could read otherwise than we do is opaque, so that no action passes for a
 * poll: other charsets, byte order marks, halves of characters, anything coded.
 *
 * @param contentType - `undefined` when there is none.
 * @param contentEncoding - As above.
 */
export function parseBody(
  contentType: string | undefined,
  bytes: Uint8Array,
  contentEncoding?: string,
): RequestBody {
  const coding = contentEncoding?.trim().toLowerCase() ?? '';
  if (coding !== '' && coding !== 'identity') return OPAQUE;
  const type = contentType ?? '';
  if (!isReadable(type, bytes)) return OPAQUE;
  const isForm = essence(type) === 'application/x-www-form-urlencoded';
  if (isJsonText(bytes) && !essence(type).startsWith('multipart/')) {
    // To a server that goes by the type, what stands between "&" in a text is a field.
    return isForm && bytes.includes(AMPERSAND) ? OPAQUE : { kind: 'json', bytes };
  }
  return isForm || (bytes.length === 0 && type === '') ? parseForm(bytes) : OPAQUE;
}

/** Charsets in which ASCII is ASCII. */
const LIKE_ASCII = /^(?:us-ascii|ascii|iso-8859-1|iso-8859-15|latin1|windows-1252)$/i;

/** Is there one charset that everybody would read this in, and is it read right as UTF-8? */
function isReadable(contentType: string, bytes: Uint8Array): boolean {
  const [, ...parameters] = contentType.split(';');
  const charsets = parameters.filter((parameter) => /charset/i.test(parameter));
  if (charsets.length > 1) return false;
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return false;
  if (charsets.length === 0) return isUtf8(bytes);
  const charset = /^\s*charset=("?)([\w-]+)\1\s*$/i.exec(charsets[0] ?? '')?.[2] ?? '';
  if (/^utf-?8$/i.test(charset)) return isUtf8(bytes);
  return LIKE_ASCII.test(charset) && isAscii(bytes);
}

function isJsonText(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  if (!/^[\t\n\r ]*[{[]/.test(text) || hasHalfCharacter(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // broken, or deeper than the parser goes
  }
}

/** An escape for half of a character alone: parsers replace, drop or keep it, each in its way. */
function hasHalfCharacter(text: string): boolean {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return false;
  const escapes =
    /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|.)/gs;
  return [...text.matchAll(escapes)].some(([, half]) => half !== undefined);
}

function parseForm(bytes: Uint8Array): RequestBody {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const parameters = parseParameters(text);
  const isKnown = parameters.every(({ name }) => name !== undefined);
  return isKnown ? { kind: 'form', text, parameters } : OPAQUE;
}
