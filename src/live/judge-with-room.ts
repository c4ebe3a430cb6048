import type { Answer } from '../poll/answer.ts';
import type { PollOutcome } from '../poll/detect.ts';
import type { Judge } from '../poll/judge.ts';
import { ProxyError } from '../shared/errors.ts';

type Judging = Pick<Judge, 'conditions' | 'judge'>;

/**
 * A judge to whom a new state for which there is no room is a failed poll.
 *
 * @param create - Makes one that knows nothing but the state that is kept.
 */
export function judgeWithRoom(
  create: () => Judging,
  hasRoomFor: (state: Uint8Array) => boolean,
): Judging {
  let judge = create();
  return {
    get conditions() {
      return judge.conditions;
    },
    async judge(answer: Answer): Promise<PollOutcome> {
      const outcome = await judge.judge(answer);
      if (outcome.kind !== 'changed' || hasRoomFor(outcome.state.data)) return outcome;
      // The old one takes for known what nobody has got.
      judge = create();
      return { kind: 'failed', error: new ProxyError('NO_ROOM') };
    },
  };
}
