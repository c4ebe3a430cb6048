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
