/**
 * Policies of the site's in which hosts of a Comet origin become `'self'`: what was loaded from
 * there comes from the site now. A wildcard that covers them keeps standing, with `'self'` beside
 * it. Nothing else is widened.
 *
 * @param value - One header line, which may hold several policies (CSP3 §2.2.2).
 * @param authorities - `host` where the port is the default one of the scheme, and `host:port`.
 */
export function mapPolicy(value: string, authorities: readonly string[]): string {
  return value
    .split(',')
    .map((policy) =>
      policy
        .split(';')
        .map((directive) => mapDirective(directive, authorities))
        .join(';'),
    )
    .join(',');
}

const TAKES_SOURCES = /-src(?:-elem|-attr)?$|^form-action$|^frame-ancestors$/i;

function mapDirective(directive: string, authorities: readonly string[]): string {
  const [, space = '', name = '', rest = ''] = /^(\s*)(\S*)(.*)$/s.exec(directive) ?? [];
  if (!TAKES_SOURCES.test(name)) return directive;
  const sources = rest.split(/\s+/).filter(Boolean);
  const mapped = sources.flatMap((source) => {
    const match = covers(source, authorities);
    if (match === 'none') return [source];
    return match === 'host' ? ["'self'"] : [source, "'self'"];
  });
  const unique = [...new Set(mapped)];
  return unique.join(' ') === sources.join(' ')
    ? directive
    : `${space}${[name, ...unique].join(' ')}`;
}

/** Does a host source (CSP3 §6.7.2.8) allow one of these, by its name or by a wildcard? */
function covers(source: string, authorities: readonly string[]): 'none' | 'host' | 'wildcard' {
  const match = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(\*\.)?([^/:'*]+)(?::(\d+|\*))?(?:\/.*)?$/i.exec(
    source,
  );
  if (!match) return 'none';
  const [, star, host = '', port] = match;
  const name = host.toLowerCase();
  const isCovered = authorities.some((authority) => {
    const [hostname = '', ownPort] = splitPort(authority);
    const fitsName = star === undefined ? hostname === name : hostname.endsWith(`.${name}`);
    return fitsName && (port === '*' || port === ownPort);
  });
  if (!isCovered) return 'none';
  return star === undefined ? 'host' : 'wildcard';
}

function splitPort(authority: string): [host: string, port: string | undefined] {
  const colon = authority.lastIndexOf(':');
  return colon > authority.lastIndexOf(']') && colon !== -1
    ? [authority.slice(0, colon), authority.slice(colon + 1)]
    : [authority, undefined];
}
