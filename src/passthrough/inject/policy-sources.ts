/** A URL that a policy is asked about. */
export interface PolicyUrl {
  readonly scheme: 'http' | 'https';
  /** In lower case, with its port if that is not the default one. */
  readonly host: string;
  readonly path: string;
}

const DEFAULT_PORTS = { http: '80', https: '443' } as const;

const HOST_SOURCE =
  /^(?:([a-z][a-z0-9+.-]*):\/\/)?((?:\*\.)?(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])|\*)(?::(\d+|\*))?(\/[^?#]*)?$/i;

/**
 * Does one of these source expressions admit a URL of the page's own origin (CSP3 §6.7.2.8)?
 *
 * Where browsers differ the answer is no. Nonces and hashes admit no URL.
 */
export function admitsUrl(sources: readonly string[], url: PolicyUrl): boolean {
  return sources.some((source) => {
    if (source === '*' || source.toLowerCase() === "'self'") return true;
    const scheme = /^([a-z][a-z0-9+.-]*):$/i.exec(source)?.[1];
    return scheme === undefined ? admitsHost(source, url) : admitsScheme(scheme, url.scheme);
  });
}

function admitsHost(source: string, url: PolicyUrl): boolean {
  const match = HOST_SOURCE.exec(source);
  if (!match) return false;
  const [, scheme, pattern = '', port, path] = match;
  if (scheme !== undefined && !admitsScheme(scheme, url.scheme)) return false;
  const [, host = '', ownPort] = /^(.*?)(?::(\d+))?$/.exec(url.host) ?? [];
  return (
    admitsName(pattern.toLowerCase(), host) &&
    admitsPort(port, ownPort ?? DEFAULT_PORTS[url.scheme], url.scheme) &&
    admitsPath(path ?? '/', url.path)
  );
}

/** What admits a scheme admits its encrypted form. */
function admitsScheme(scheme: string, own: PolicyUrl['scheme']): boolean {
  const named = scheme.toLowerCase();
  return named === own || `${named}s` === own;
}

function admitsName(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : pattern === host;
}

function admitsPort(port: string | undefined, own: string, scheme: PolicyUrl['scheme']): boolean {
  return port === '*' || own === (port ?? DEFAULT_PORTS[scheme]);
}

function admitsPath(path: string, own: string): boolean {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return false; // browsers differ in what they make of it
  }
  return decoded.endsWith('/') ? own.startsWith(decoded) : own === decoded;
}
