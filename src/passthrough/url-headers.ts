/** Gives the public form of a URL, or `undefined` where there is none. */
export type MapUrl = (url: string) => string | undefined;

/** `Refresh: 5; url=/next`, also quoted, in any case, or without `url=` (HTML, "shared declarative refresh"). */
export function mapRefresh(value: string, map: MapUrl): string {
  const match = /^(\s*[\d.]+(?=[;,\s])\s*[;,]?\s*(?:url\s*=\s*)?)(["']?)(.*)$/is.exec(value);
  if (!match) return value;
  const [, head = '', quote = '', rest = ''] = match;
  const closing = quote === '' ? -1 : rest.indexOf(quote);
  const url = closing === -1 ? rest.trimEnd() : rest.slice(0, closing);
  return `${head}${quote}${map(url) ?? url}${rest.slice(url.length)}`;
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
  const links = splitLinks(value);
  const kept = links.flatMap((link) => {
    const end = link.startsWith('<') ? link.indexOf('>') : -1;
    if (end === -1) return [link];
    const url = link.slice(1, end);
    const parameters = link.slice(end + 1);
    const host = /^(?:[a-z]+:)?\/\/([^/?#]*)/i.exec(url)?.[1]?.toLowerCase();
    const isOurs = host !== undefined && authorities.includes(host);
    if (isOurs && isConnectionHint(parameters)) return [];
    return [`<${map(url) ?? url}>${parameters}`];
  });
  return kept.length === 0 && links.length > 0 ? undefined : kept.join(', ');
}

function isConnectionHint(parameters: string): boolean {
  for (const [, name = '', value = ''] of parameters.matchAll(
    /;\s*([^\s;=",]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]+))?/g,
  )) {
    if (name.toLowerCase() === 'rel') return /\b(?:preconnect|dns-prefetch)\b/i.test(value);
  }
  return false;
}

/** At commas that stand neither in a target nor in quotes. */
function splitLinks(value: string): string[] {
  const links: string[] = [];
  let from = 0;
  let inside = '';
  for (let i = 0; i < value.length; i++) {
    const char = value[i] as string;
    if (inside === '"' && char === '\\') i += 1;
    else if (inside !== '') inside = char === inside ? '' : inside;
    else if (char === '<') inside = '>';
    else if (char === '"') inside = '"';
    else if (char === ',') {
      links.push(value.slice(from, i).trim());
      from = i + 1;
    }
  }
  links.push(value.slice(from).trim());
  return links.filter((link) => link !== '');
}
