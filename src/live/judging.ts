import type { JudgeOptions, Retained } from '../poll/judge.ts';
import { Judge } from '../poll/judge.ts';
import type { Clock } from '../shared/clock.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { PollWay } from './asker.ts';
import type { Buffered } from './buffered.ts';
import type { Identity } from './channel-key.ts';
import { judgeWithRoom } from './judge-with-room.ts';
import { personalPolicy } from './personal-policy.ts';
import { pollHeaders } from './poll-headers.ts';
import type { Wanted } from './wanted.ts';

/** What judges of polls go by, whatever is polled. */
export interface JudgingOptions {
  readonly clock: Clock;
  readonly way: PollWay;
  /** For the headers of a poll, what makes of a body the one that clients get. */
  readonly rewriting: ((headers: RawHeaders) => NonNullable<JudgeOptions['rewrite']>) | undefined;
  readonly buffered: Pick<Buffered, 'hasRoomFor'>;
}

/** What is judged: the answers to polls of this, for this identity. */
export interface Judged {
  readonly wanted: Wanted;
  readonly identity: Identity;
  /** The `Cookie` lines that polls send now. */
  readonly cookies: () => readonly string[];
  readonly retained: () => Retained | undefined;
}

/** What says which answers are changes of the state that is known. */
export function createJudge(
  { wanted: { endpoint, content }, identity, cookies, retained }: Judged,
  { clock, rewriting, way }: JudgingOptions,
): Judge {
  const { config } = endpoint;
  return new Judge({
    clock,
    isPrivate: endpoint.isPrivate,
    personal: personalPolicy(endpoint, cookies),
    comparison: config,
    ignoreForMs: config.ignoreFor,
    maxBytes: config.maxBody,
    rewrite: rewriting?.(pollHeaders({ headers: config.headers, content, identity }, way.sender)),
    retained,
  });
}

/** The same, where the state is kept: a new one for which there is no room is none. */
export function createJudgeWithRoom(
  judged: Judged,
  options: JudgingOptions,
): Pick<Judge, 'conditions' | 'judge'> {
  return judgeWithRoom(
    () => createJudge(judged, options),
    ({ length }) => options.buffered.hasRoomFor(length - (judged.retained()?.data.length ?? 0)),
  );
}
