import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import type { TestContext } from 'node:test';
import type { Answer } from '../../src/poll/answer.ts';
import { decode } from '../../src/poll/decode.ts';
import type { Fetch, PollRequest } from '../../src/poll/fetch.ts';
import { createFetch } from '../../src/poll/fetch.ts';
import type { ErrorCode } from '../../src/shared/errors.ts';
import { createUpstreamPool } from '../../src/shared/upstream.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

/** The largest body that polls of a test take. */
export const MAX_BYTES = 10_000;

/** A real upstream, and polls of it. */
export interface TestFetch {
  readonly upstream: Upstream;
  readonly clock: FakeClock;
  get(request?: Partial<PollRequest>, signal?: AbortSignal): Promise<Answer>;
}

/** Start an upstream that answers by `handler`; all is closed when the test ends. */
export async function setUp(
  t: TestContext,
  handler: RequestListener,
  maxConnections?: number,
): Promise<TestFetch> {
  const upstream = await startUpstream(t, handler);
  const clock = createFakeClock();
  const options = { url: new URL(upstream.url), connectTimeoutMs: 60_000, maxConnections };
  const pool = createUpstreamPool(options);
  t.after(() => pool.destroy());
  const fetch = createFetch(pool, clock);
  const defaults = {
    method: 'GET' as const,
    target: '/state',
    headers: [],
    body: undefined,
    timeoutMs: 5_000,
    maxBytes: MAX_BYTES,
  };
  return {
    upstream,
    clock,
    get: (request = {}, signal = new AbortController().signal) =>
      fetchDecoded(fetch, { ...defaults, ...request }, signal),
  };
}

/** Poll, and decode the answer. */
export async function fetchDecoded(
  fetch: Fetch,
  request: PollRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const answer = await fetch(request, signal);
  return { ...answer, body: await decode(answer, request.maxBytes) };
}

/** The poll fails in this way. */
export function rejects(poll: Promise<Answer>, code: ErrorCode): Promise<void> {
  return assert.rejects(poll, { code });
}
