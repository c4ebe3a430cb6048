import { isOwnPath, pathSegments } from './path-pattern.ts';

/** Why a text is no path of a mount, or `undefined` when it is one. */
export function mountProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return `must start with "/": try "/${path}"`;
  if (path === '/') return 'must be a path below "/", which is the site';
  if (isOwnPath(path)) return '"/_comet/" is the proxy\'s own, choose another path';
  // It is written into pages and cookies: no character may mean something there.
  if (!/^(?:\/[\w.~!+=:@-]+)+\/?$/.test(path)) {
    return 'must be a plain path: letters, digits and "._~!+=:@-" between slashes';
  }
  if (pathSegments(path) === undefined) return 'must not have "." or ".." in it';
  return undefined;
}

/** The path of a mount without its last slash: what the paths under it begin with. */
export function mountPrefix(path: string): string {
  return path.replace(/\/$/, '');
}

/** The rest of a path or target below `prefix`: `''`, or it begins with `/`, `?` or `#`; none elsewhere. */
export function restBelow(target: string, prefix: string): string | undefined {
  if (!target.startsWith(prefix)) return undefined;
  const rest = target.slice(prefix.length);
  return rest === '' || /^[/?#]/.test(rest) ? rest : undefined;
}

/**
 * How a server that decodes everything twice over might read a path, for comparing only.
 *
 * SECURITY: such readings decide nothing but refusals.
 */
export function looseSegments(path: string): string[] {
  let decoded = path;
  for (let round = 0; round < 2; round++) {
    decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  return decoded.split(/[/\\]/).map((segment) => segment.replace(/;.*/s, ''));
}
