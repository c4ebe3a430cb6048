import type { Followed, LiveStates } from './live-states.ts';

/**
 * Follow addresses by what is not loaded yet: most pages have nothing live.
 *
 * @param use - Loads it, and calls back when it is there.
 */
export function lazyStates(use: (ready: (states: LiveStates) => void) => void): LiveStates {
  return {
    follow(want, onChange) {
      let followed: Followed | undefined;
      let hasLeft = false;
      use((states) => {
        if (!hasLeft) followed = states.follow(want, onChange);
      });
      return {
        get state() {
          return followed && followed.state;
        },
        get isLive() {
          return !!followed && followed.isLive;
        },
        get lastWord() {
          return followed && followed.lastWord;
        },
        leave() {
          hasLeft = true;
          if (followed) followed.leave();
        },
      };
    },
  };
}
