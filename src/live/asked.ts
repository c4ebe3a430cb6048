import type { Admitted } from './tickets.ts';

/** A URL that a client wants to see, as far as it is known. */
export interface Asked {
  /** The address that its events are told under. */
  readonly url: string;
  /** What it stands for, and for whom; `undefined` when that was said by a ticket that is not valid. */
  readonly admitted: Admitted | undefined;
  readonly cursors: readonly (string | undefined)[];
}
