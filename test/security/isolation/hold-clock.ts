import type { Clock } from '../../../src/shared/clock.ts';
import { systemClock } from '../../../src/shared/clock.ts';

/** The time of the machine, and how many timers are set that were to last so long. */
export interface HoldClock extends Clock {
  readonly held: number;
}

/** A clock that knows how many requests are held, by the time that they are held for. */
export function createHoldClock(holdMs: number): HoldClock {
  let held = 0;
  return {
    now: systemClock.now,
    get held() {
      return held;
    },
    after(delayMs, callback) {
      const step = delayMs === holdMs ? 1 : 0;
      held += step;
      let isOver = false;
      const end = () => {
        if (!isOver) held -= step;
        isOver = true;
      };
      const timer = systemClock.after(delayMs, () => {
        end();
        callback();
      });
      return {
        cancel() {
          end();
          timer.cancel();
        },
      };
    },
  };
}
