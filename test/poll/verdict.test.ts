import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PollOutcome } from '../../src/poll/detect.ts';
import { verdictOf } from '../../src/poll/verdict.ts';
import type { ErrorCode } from '../../src/shared/errors.ts';
import { ProxyError } from '../../src/shared/errors.ts';

const refused = Object.assign(new Error('connect ECONNREFUSED'), {
  code: 'ECONNREFUSED',
  syscall: 'connect',
});
const noConnection = Object.assign(new Error('too slow'), { code: 'UND_ERR_CONNECT_TIMEOUT' });

const failed = (code: ErrorCode, rest: { status?: number; cause?: Error } = {}): PollOutcome => ({
  kind: 'failed',
  error: new ProxyError(code, undefined, { cause: rest.cause }),
  ...(rest.status === undefined ? {} : { status: rest.status }),
});

for (const [outcome, expected, text] of [
  [{ kind: 'unchanged' }, 'up', 'a poll that succeeds'],
  [{ kind: 'ended', word: 'gone', status: 410, detail: '' }, 'up', 'an end'],
  [failed('UPSTREAM_UNREACHABLE', { cause: refused }), 'down', 'a connection that is refused'],
  [failed('UPSTREAM_TIMEOUT', { cause: noConnection }), 'down', 'no connection in time'],
  [failed('UPSTREAM_TIMEOUT'), 'failing', 'no answer in time'],
  [failed('UPSTREAM_RESET'), 'failing', 'a connection that is closed before the answer'],
  [failed('UPSTREAM_STATUS', { status: 502 }), 'failing', '502'],
  [failed('UPSTREAM_STATUS', { status: 503 }), 'failing', '503'],
  [failed('UPSTREAM_STATUS', { status: 504 }), 'failing', '504'],
  [failed('UPSTREAM_STATUS', { status: 500 }), 'up', '500, which may be one resource’s own'],
  [failed('UPSTREAM_STATUS', { status: 429 }), 'up', '429, which concerns the one who asks'],
  [failed('UPSTREAM_STATUS', { status: 404 }), 'up', '404'],
  [failed('UPSTREAM_TYPE', { status: 200 }), 'up', 'an answer of another type'],
  [failed('UPSTREAM_INVALID'), 'up', 'an answer that cannot be read'],
  [failed('UPSTREAM_TOO_LARGE'), 'up', 'an answer that is too large'],
  [failed('INTERNAL'), 'unknown', 'a failure of ours'],
] as const satisfies readonly (readonly [PollOutcome, string, string])[]) {
  test(`of the upstream ${text} says: ${expected}`, () => {
    assert.equal(verdictOf(outcome), expected);
  });
}
