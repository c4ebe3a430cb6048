/** Gives the public form of a URL, or `undefined` where there is none. */
export type MapUrl = (url: string) => string | undefined;

/** `Refresh: 5; url=/next`, also quoted and in any case (the HTML standard, "shared declarative refresh"). */
export function mapRefresh(value: string, map: MapUrl): string {
  const match = /^(\s*[\d.]+\s*[;,]?\s*url\s*=\s*)(["']?)(.*?)(\2\s*)$/is.exec(value);
  if (!match) return value;
  const [, head = '', quote = '', url = '', tail = ''] = match;
  return `${head}${quote}${map(url) ?? url}${tail}`;
}

/**
 * `Link: <url>; rel=…, …` (RFC 8288): each target mapped. A hint to connect to the upstream itself
 * is dropped, for no browser is to do so.
 */
export function mapLink(
  value: string,
  map: MapUrl,
  authorities: readonly string[],
): string | undefined {
  const links = value.match(/<[^>]*>(?:[^,"]|"(?:[^"\\]|\\.)*")*/g);
  if (!links) return value;
  const kept = links
    .filter((link) => {
      const isHint = /;\s*rel\s*=\s*"?[^";]*\b(?:preconnect|dns-prefetch)\b/i.test(link);
      const host = /^<(?:[a-z]+:)?\/\/([^/?#>]*)/i.exec(link)?.[1]?.toLowerCase();
      return !(isHint && host !== undefined && authorities.includes(host));
    })
    .map((link) => link.trim().replace(/^<([^>]*)>/, (_, url: string) => `<${map(url) ?? url}>`));
  return kept.length === 0 ? undefined : kept.join(', ');
}
