/** The repeatable option `--header`, as curl has it. */
export const headerOption = {
  alias: 'H',
  type: 'string',
  array: true,
  requiresArg: true,
  default: [] as string[],
} as const;

/** A mistake of the user's, not of ours. */
export class UsageError extends Error {}

/** @throws {UsageError} for what is neither a path nor an http URL. */
export function checkSiteUrl(url: string): void {
  if (/^(?:\/|https?:\/\/[^/?#])/i.test(url)) return;
  throw new UsageError(`not a path or an http URL: ${url}; as in /api/status`);
}

/**
 * Read `Name: value`.
 *
 * SECURITY: the message repeats nothing of it: where the name was forgotten, the rest is a secret.
 *
 * @throws {UsageError}
 */
export function splitHeader(text: string): [name: string, value: string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*((?:\t|\P{Cc})*)$/u.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new UsageError(
      "not a header: it needs a name and a colon, as in --header 'Cookie: SESSION=1'",
    );
  }
  return [name, value];
}
