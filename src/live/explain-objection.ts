import { headerValue } from '../shared/raw-headers.ts';
import type { AskedRequest } from './asked-request.ts';
import type { EndpointSettings } from './endpoint-words.ts';
import { parseBody } from './request-body.ts';
import { matchesBody, matchesQuery } from './request-match.ts';

/** Why an endpoint does not mean a request of its path: half a sentence. */
export function objectionTo(
  { method = 'GET', match }: Pick<EndpointSettings, 'method' | 'match'>,
  asked: AskedRequest,
): string {
  if (asked.method !== method) return `its method is ${asked.method}`;
  if (match && !matchesQuery(asked.target, match.query))
    return 'its query is not what "match" wants';
  if (asked.body === undefined) return 'it has no body';
  const type = headerValue(asked.rawHeaders, 'content-type');
  const body = parseBody(type, Buffer.from(asked.body));
  return match && !matchesBody(body, match.body)
    ? 'its body is not what "match" wants'
    : 'its body is not of the form that "rpc", "request" or "ignoreBody" are for';
}
