import type { PollOutcome } from '../poll/detect.ts';
import type { Judge } from '../poll/judge.ts';
import type { Poll } from '../poll/poller.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Askers } from './askers.ts';

/** More refusals in a row are not taken for the end of single sessions. */
const MAX_REFUSALS = 3;

/**
 * Poll with the credentials of one of those whom the site lets in. When it does not any more, that
 * one is told, and it is the next one's turn.
 */
export function pollForAll(askers: Askers, judge: Pick<Judge, 'conditions' | 'judge'>): Poll {
  return async (signal) => {
    for (let refusals = 0; refusals < MAX_REFUSALS; refusals++) {
      const asker = askers.current;
      if (!asker) break;
      const outcome = await judge.judge(await asker.ask(judge.conditions, signal));
      if (!isRefusal(outcome)) return outcome;
      askers.refuse(asker, outcome);
    }
    throw new ProxyError('UPSTREAM_STATUS', 'the site lets no session in');
  };
}

function isRefusal(outcome: PollOutcome): outcome is PollOutcome & { kind: 'ended' } {
  return outcome.kind === 'ended' && outcome.word === 'unauthorized';
}
