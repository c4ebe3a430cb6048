import type { Logger } from '../shared/logger.ts';
import type { Witness } from '../shared/witness.ts';
import type { AnswerHandler } from './exchange.ts';

/**
 * The same handler, with a witness of the answer beside it: it is shown what has been handled, and when
 * it fails it is shown no more.
 */
export function witnessed(handler: AnswerHandler, witness: Witness, log: Logger): AnswerHandler {
  let isAble = true;
  const show = (look: () => void) => {
    try {
      if (isAble) look();
    } catch (err) {
      isAble = false;
      log.error({ err }, 'looking at an answer failed');
    }
  };
  return {
    onHead(head) {
      // It may be refused: then there is no answer.
      handler.onHead(head);
      if (head.status >= 200) show(() => witness.onHead(head.status, head.headers));
    },
    onData(chunk) {
      const goesOn = handler.onData(chunk);
      show(() => witness.onData(chunk));
      return goesOn;
    },
    onEnd(trailers) {
      handler.onEnd(trailers);
      show(() => witness.onEnd());
    },
    onUpgrade: (headers, upstream) => handler.onUpgrade(headers, upstream),
    onError: (error) => handler.onError(error),
  };
}
