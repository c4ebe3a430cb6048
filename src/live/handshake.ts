import type { Handshake } from '../config/request.ts';
import type { Fetch, PollRequest } from '../poll/fetch.ts';

/**
 * Polls of an upstream that hands out a token with a refusal: the poll is sent once more with it,
 * and so are those after it, until it is refused.
 *
 * SECURITY: the token stays with the polls of one channel. No client sees it, and none gets another
 * one's.
 */
export function withHandshake(fetch: Fetch, { status, header }: Handshake): Fetch {
  let token: string | undefined;
  const carrying = (request: PollRequest): PollRequest =>
    token === undefined ? request : { ...request, headers: [...request.headers, header, token] };
  return async (request, signal) => {
    const answer = await fetch(carrying(request), signal);
    const handed = answer.headers.get(header);
    if (answer.status !== status || handed === undefined || handed === token) return answer;
    token = handed;
    return fetch(carrying(request), signal);
  };
}
