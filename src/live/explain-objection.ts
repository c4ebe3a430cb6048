import { headerValue } from '../shared/raw-headers.ts';
import type { AskedRequest } from './asked-request.ts';
import type { EndpointSettings } from './endpoint-words.ts';
import { parseBody } from './request-body.ts';
import { matchesBody, matchesQuery } from './request-match.ts';

/** Why an endpoint does not mean a request of its path: half a sentence; `undefined` if it does. */
export function objectionTo(
  { method = 'GET', match }: Pick<EndpointSettings, 'method' | 'match'>,
  asked: AskedRequest,
): string | undefined {
  if (asked.method !== method) return `its method is ${asked.method}`;
  if (!match) return undefined;
  if (!matchesQuery(asked.target, match.query)) return 'its query is not what "match" wants';
  if (match.body.length === 0) return undefined;
  if (asked.body === undefined) return 'it has no body, and "match" wants one';
  const type = headerValue(asked.rawHeaders, 'content-type');
  const body = parseBody(type, Buffer.from(asked.body));
  return matchesBody(body, match.body) ? undefined : 'its body is not what "match" wants';
}
