interface StoredCookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly isHostOnly: boolean;
  readonly path: string;
  readonly isSecure: boolean;
  readonly order: number;
}

/**
 * What browsers do with cookies (RFC 6265 §5, and nameless ones as in its successor), written from
 * the standard: a judge that shares nothing with what it judges.
 */
export class CookieJar {
  #cookies: StoredCookie[] = [];
  #order = 0;

  /** Take a `Set-Cookie` header of an answer from this URL. */
  set(url: string, header: string): void {
    const { hostname, pathname, protocol } = new URL(url);
    const [pair = '', ...rest] = header.split(';');
    const equals = pair.indexOf('=');
    const name = pair.slice(0, Math.max(0, equals)).trim();
    const value = pair.slice(equals + 1).trim();
    if (name === '' && value === '') return;
    const attributes = new Map(
      rest.map((text) => {
        const [key = '', ...parts] = text.split('=');
        return [key.trim().toLowerCase(), parts.join('=').trim()];
      }),
    );
    const domain = attributes.get('domain')?.toLowerCase().replace(/^\./, '') ?? '';
    if (domain !== '' && !domainMatches(hostname, domain)) return;
    const isSecure = attributes.has('secure');
    if (isSecure && protocol !== 'https:') return;
    const wanted = attributes.get('path') ?? '';
    const cookie = {
      name,
      value,
      host: domain || hostname,
      isHostOnly: domain === '',
      path: wanted.startsWith('/') ? wanted : defaultPath(pathname),
      isSecure,
      order: this.#order++,
    };
    const old = this.#cookies.find((other) => isSame(other, cookie));
    this.#cookies = this.#cookies.filter((other) => other !== old);
    const maxAge = attributes.get('max-age');
    if (maxAge !== undefined && /^-?\d+$/.test(maxAge) && Number(maxAge) <= 0) return;
    this.#cookies.push({ ...cookie, order: old?.order ?? cookie.order });
  }

  /** The `Cookie` header of a request for this URL; `''` is none. */
  header(url: string): string {
    const { hostname, pathname, protocol } = new URL(url);
    return this.#cookies
      .filter(({ host, isHostOnly }) =>
        isHostOnly ? hostname === host : domainMatches(hostname, host),
      )
      .filter(({ path }) => pathMatches(pathname, path))
      .filter(({ isSecure }) => !isSecure || protocol === 'https:')
      .sort((a, b) => b.path.length - a.path.length || a.order - b.order)
      .map(({ name, value }) => (name === '' ? value : `${name}=${value}`))
      .join('; ');
  }
}

function isSame(a: StoredCookie, b: StoredCookie): boolean {
  const isSameHost = a.host === b.host && a.isHostOnly === b.isHostOnly;
  return a.name === b.name && isSameHost && a.path === b.path;
}

/** RFC 6265 §5.1.3. */
function domainMatches(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

/** RFC 6265 §5.1.4. */
function pathMatches(path: string, cookiePath: string): boolean {
  if (path === cookiePath) return true;
  if (!path.startsWith(cookiePath)) return false;
  return cookiePath.endsWith('/') || path[cookiePath.length] === '/';
}

function defaultPath(path: string): string {
  const last = path.lastIndexOf('/');
  return last <= 0 ? '/' : path.slice(0, last);
}
