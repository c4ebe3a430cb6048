import type { Answer } from '../poll/answer.ts';
import { decode } from '../poll/decode.ts';
import type { JudgeOptions } from '../poll/judge.ts';
import type { Clock } from '../shared/clock.ts';
import type { ProxyError } from '../shared/errors.ts';
import { asProxyError } from '../shared/errors.ts';

/** An answer as a poll gets it. */
export interface Answered {
  readonly kind: 'answered';
  readonly tookMs: number;
  readonly answer: Answer;
  /** As clients get it: decompressed, with its URLs rewritten. */
  readonly body: Buffer;
  /** Of the body as the upstream sent it, decompressed. */
  readonly bytes: number;
}

/** What a poll got. */
export type Reply =
  | Answered
  | {
      readonly kind: 'failed';
      readonly tookMs: number;
      readonly status: number | undefined;
      readonly error: ProxyError;
    };

/** Send one poll, conditional by these header names and values. Never rejects. */
export type Ask = (conditions?: readonly string[]) => Promise<Reply>;

/** How one client's poll is sent, and what becomes of its answers. */
export interface AskOptions {
  readonly poll: (conditions: readonly string[], signal: AbortSignal) => Promise<Answer>;
  /** What makes of a body the one that clients get; `undefined`: itself. */
  readonly rewrite: JudgeOptions['rewrite'];
  /** Largest body, decompressed. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** Make what sends one client's polls. */
export function createAsk({ poll, rewrite, maxBytes, clock }: AskOptions): Ask {
  const { signal } = new AbortController();
  return async (conditions = []) => {
    const startedAt = clock.now();
    const tookMs = () => Math.max(0, clock.now() - startedAt);
    let status: number | undefined;
    try {
      const answer = await poll(conditions, signal);
      status = answer.status;
      const took = tookMs();
      const decoded = await decode(answer, maxBytes);
      const body = rewrite?.(answer, decoded) ?? decoded;
      return { kind: 'answered', tookMs: took, answer, body, bytes: decoded.length };
    } catch (error) {
      const failure = asProxyError(error, 'INTERNAL');
      return { kind: 'failed', tookMs: tookMs(), status, error: failure };
    }
  };
}
