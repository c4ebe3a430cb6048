/**
 * The first release of each line of Node that has all known fixes of its HTTP/2: those of 2026-10-21.
 * Lines that are not named get no fixes any more.
 */
const FLOORS: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  22: [23, 4],
  24: [22, 1],
  26: [12, 1],
};
/** Lines that began after the fixes have them. */
const NEWEST_LINE = Math.max(...Object.keys(FLOORS).map(Number));

/** What an operator should run to serve HTTP/2. */
export const HTTP2_FLOORS: string = Object.entries(FLOORS)
  .map(([major, rest]) => [major, ...rest].join('.'))
  .join(', ');

/**
 * SECURITY: is the HTTP/2 of this version of Node (as in `process.versions.node`) without known
 * holes?
 */
export function isHttp2Safe(version: string): boolean {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(version); // a pre-release is none
  if (!match) return false;
  const [major = 0, minor = 0, patch = 0] = match.slice(1).map(Number);
  const floor = FLOORS[major];
  if (!floor) return major > NEWEST_LINE;
  return minor > floor[0] || (minor === floor[0] && patch >= floor[1]);
}
