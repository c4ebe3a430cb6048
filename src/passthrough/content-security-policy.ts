/**
 * A policy of the site's in which hosts of a Comet origin become `'self'`: what was loaded from
 * there comes from the site now. A wildcard that covers them keeps standing, with `'self'` beside it.
 * Nothing else is widened.
 */
export function mapPolicy(value: string, authorities: readonly string[]): string {
  const hosts = authorities.map((authority) => authority.replace(/:\d+$/, ''));
  return value
    .split(';')
    .map((directive) => {
      const [, space = '', name = '', rest = ''] = /^(\s*)(\S*)(.*)$/s.exec(directive) ?? [];
      if (!/-src(?:-elem|-attr)?$|^form-action$|^frame-ancestors$/i.test(name)) return directive;
      const sources = rest.split(/\s+/).filter(Boolean);
      const mapped = sources.flatMap((source) => {
        const [host = '', isWildcard = false] = hostOf(source);
        if (isWildcard)
          return hosts.some((name) => name.endsWith(host)) ? [source, "'self'"] : [source];
        return authorities.includes(host) ? ["'self'"] : [source];
      });
      const unique = [...new Set(mapped)];
      return unique.join(' ') === sources.join(' ')
        ? directive
        : `${space}${[name, ...unique].join(' ')}`;
    })
    .join(';');
}

/** Host and port of a host source; of `*.example.net` it is `.example.net`. */
function hostOf(source: string): [host: string, isWildcard: boolean] | [] {
  const match = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(\*?)([^/:']+(?::(?:\d+|\*))?)(?:\/.*)?$/i.exec(
    source,
  );
  if (!match) return [];
  const [, star = '', host = ''] = match;
  return star === '*' ? [host.replace(/:.*/, '').toLowerCase(), true] : [host.toLowerCase(), false];
}
