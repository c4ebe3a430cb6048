import { isAscii, isUtf8 } from 'node:buffer';

/** The essence of a `Content-Type`: `type/subtype` in lower case, without parameters. */
export function essence(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** True for JSON: `application/json`, `text/json`, `…+json`. */
export function isJson(contentType: string): boolean {
  const type = essence(contentType);
  return type === 'application/json' || type === 'text/json' || type.endsWith('+json');
}

/** True for HTML and XHTML documents. */
export function isHtml(contentType: string): boolean {
  const type = essence(contentType);
  return type === 'text/html' || type === 'application/xhtml+xml';
}

/** Text that is UTF-8 travels as it is; everything else, other charsets too, in base64. */
export function textEncoding(contentType: string, body: Buffer): 'utf8' | 'base64' {
  const charset =
    /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset === 'utf-8' || charset === 'utf8') return isUtf8(body) ? 'utf8' : 'base64';
  // In all of these an ASCII text is the same bytes as in UTF-8; in UTF-16 it is not.
  return isAscii(body) && !/^(?:utf-?(?:16|32)|ucs)/.test(charset) ? 'utf8' : 'base64';
}
