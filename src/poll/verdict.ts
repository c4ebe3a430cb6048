import { isConnectFailure } from '../shared/upstream.ts';
import type { PollOutcome } from './detect.ts';

/** What a poll says of the upstream. */
export type Verdict =
  /** It answers, whatever it says. */
  | 'up'
  /** It takes connections, and gives no answer or one that it cannot serve. */
  | 'failing'
  /** It takes no connection. */
  | 'down'
  /** Nothing: the failure was ours. */
  | 'unknown';

/** Statuses by which a server says that it cannot serve now: nothing about the resource. */
const UNAVAILABLE = [502, 503, 504];

/** What the outcome of a poll says of the upstream. */
export function verdictOf(outcome: PollOutcome): Verdict {
  if (outcome.kind !== 'failed') return 'up';
  const { error, status } = outcome;
  if (status !== undefined) return UNAVAILABLE.includes(status) ? 'failing' : 'up';
  if (isConnectFailure(error)) return 'down';
  if (error.code === 'UPSTREAM_TIMEOUT' || error.code === 'UPSTREAM_RESET') return 'failing';
  return error.code === 'INTERNAL' ? 'unknown' : 'up';
}
