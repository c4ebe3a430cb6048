import type { SeenChange, Speech } from './subscribers.ts';

/** What a server has to bear. */
export interface Load {
  readonly subscribers: number;
  readonly endpoints: number;
  /** Of the document. */
  readonly bytes: number;
  /** Between two changes of an endpoint. */
  readonly intervalMs: number;
}

/** A server that pushes. */
export interface PushServer {
  readonly port: number;
  /** Of the process that its CPU time and memory are read of, with those that it has started. */
  readonly pid: number;
  readonly speech: Speech;
  /** The moments at which its source has made a change, where that is not the server itself. */
  readonly made?: readonly bigint[];
  /** Of those that cannot take subscribers while there are changes: all subscribers are there. */
  begin?(): Promise<void>;
  close(): Promise<void>;
}

/** What is measured. */
export interface Contender {
  readonly name: string;
  /** Why it cannot be measured here, and what to install. */
  readonly objection?: string | undefined;
  start(load: Load): Promise<PushServer>;
}

/** What came of one turn of one contender. */
export interface Outcome {
  readonly cpuMicroseconds: number;
  /** From each change to its last receiver. */
  readonly lastMs: readonly number[];
  /** Share of what should have been delivered. */
  readonly complete: number;
}

/** @param changes - Those made between the two moments, as they were seen. */
export function outcomeOf(
  changes: readonly SeenChange[],
  madeCount: number,
  load: Load,
  cpuMicroseconds: number,
): Outcome {
  const each = load.subscribers / load.endpoints;
  const delivered = changes.reduce((sum, { count }) => sum + count, 0);
  return {
    cpuMicroseconds,
    lastMs: changes.map(({ at, lastAt }) => Number(lastAt - at) / 1e6),
    complete: delivered / (Math.max(madeCount, changes.length) * each),
  };
}
