import type { ErrorCode } from '../shared/errors.ts';
import type { Peer } from './identify-downstream.ts';

/** Who is at the other end of one connection, and whether it is welcome. */
export interface Visitor {
  readonly peer: Peer;
  /** Every request of this connection gets this answer. */
  readonly refusal: ErrorCode | undefined;
}
