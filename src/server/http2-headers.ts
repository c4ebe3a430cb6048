import type { OutgoingHttpHeaders } from 'node:http';

/** Fields of a connection, which HTTP/2 has none of: Node throws when it meets them. */
const OF_CONNECTIONS =
  /^(?:connection|http2-settings|keep-alive|proxy-connection|transfer-encoding|upgrade)$/;
/** Fields whose lines must not be joined, or that many clients read by line. */
const BY_LINE = /^(?:set-cookie|www-authenticate|proxy-authenticate|link)$/;

/**
 * Headers of an answer as HTTP/2 has them: names in lower case, nothing of the connection, and one
 * line for each name, since Node refuses a second one of many.
 *
 * @param headers - An object, or a flat list of names and values.
 */
export function http2Headers(
  headers: OutgoingHttpHeaders | readonly string[],
): OutgoingHttpHeaders {
  const byName = new Map<string, string[]>();
  for (const [field, value] of entries(headers)) {
    const name = field.toLowerCase();
    if (OF_CONNECTIONS.test(name)) continue;
    const values = byName.get(name) ?? [];
    byName.set(name, values.concat(value));
  }
  const result: OutgoingHttpHeaders = Object.create(null);
  for (const [name, values] of byName) {
    result[name] = values.length > 1 && BY_LINE.test(name) ? values : values.join(', ');
  }
  return result;
}

function entries(
  headers: OutgoingHttpHeaders | readonly string[],
): (readonly [name: string, value: string | string[]])[] {
  if (!isList(headers)) {
    return Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value : String(value)] as const],
    );
  }
  return headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1] ?? ''] as const] : []));
}

function isList(headers: OutgoingHttpHeaders | readonly string[]): headers is readonly string[] {
  return Array.isArray(headers);
}
