/** A page that loads itself anew. */
export interface SelfRefresh {
  readonly seconds: number;
}

/** Nobody waits for longer: such a refresh means never. */
const MAX_DIGITS = 9;

/**
 * Read a refresh, of the header or of a `<meta>`, that loads the page itself and nothing else (HTML,
 * "shared declarative refresh steps").
 *
 * @param pageUrl - What the page is known by.
 * @param base - What its URLs are relative to; `undefined` when nobody knows.
 * @returns `undefined` for a refresh that leads elsewhere, and for none.
 */
export function selfRefresh(
  value: string,
  pageUrl: URL,
  base: URL | undefined,
): SelfRefresh | undefined {
  const match = /^[\t\n\f\r ]*(\d*)([\d.]*)(.*)$/s.exec(value);
  const [, digits = '', more = '', rest = ''] = match ?? [];
  if (digits === '' && !more.startsWith('.')) return undefined;
  if (digits.length > MAX_DIGITS) return undefined;
  const refresh = { seconds: Number(digits) };
  if (rest === '') return refresh;
  if (!/^[;,\t\n\f\r ]/.test(rest)) return undefined;
  const text = rest.replace(/^[\t\n\f\r ]*[;,]?[\t\n\f\r ]*/, '');
  return text === '' || leadsTo(pageUrl, urlText(text), base) ? refresh : undefined;
}

function urlText(text: string): string {
  const rest = text.replace(/^url[\t\n\f\r ]*=[\t\n\f\r ]*/i, '');
  const quote = /^["']/.exec(rest)?.[0];
  return quote === undefined ? rest : (rest.slice(1).split(quote, 1)[0] ?? '');
}

function leadsTo(pageUrl: URL, text: string, base: URL | undefined): boolean {
  try {
    // With a fragment it would only scroll.
    return (base ? new URL(text, base) : new URL(text)).href === pageUrl.href;
  } catch {
    return false; // no URL: the browser goes nowhere
  }
}
