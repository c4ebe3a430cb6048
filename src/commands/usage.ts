/** A mistake of the user's, not of ours. */
export class UsageError extends Error {}

/** @throws {UsageError} for what is neither a path nor an http URL. */
export function checkSiteUrl(url: string): void {
  if (/^(?:\/|https?:\/\/[^/?#])/i.test(url)) return;
  throw new UsageError(`not a path or an http URL: ${url}; as in /api/status`);
}

/** Read `Name: value`. @throws {UsageError} */
export function splitHeader(text: string): [name: string, value: string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new UsageError(`not a header: "${text}"; as in --header 'Cookie: SESSION=1'`);
  }
  return [name, value];
}
