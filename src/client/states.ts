import type { Followed, LiveStates } from './live-states.ts';
import type { Natives } from './natives.ts';
import { quiet } from './natives.ts';
import type { Listener, Place, Told, Vouched } from './places.ts';
import { createPlaces } from './places.ts';
import { createTabs } from './tabs.ts';

/** How the stream is: nothing is followed, it is being opened, it is open, it does not get through. */
export type LinkState = 'idle' | 'connecting' | 'live' | 'down';

/** No stream vouches for longer: the clock was put back. */
const LONGEST_MS = 60_000;

/**
 * Follow live addresses, over a stream that all tabs share where they can.
 *
 * @param watch - Told of changes of what the page follows, and, without an address, of the stream.
 */
export function createLiveStates(
  natives: Natives,
  watch: (address?: string, followed?: Followed) => void,
): LiveStates & { readonly state: LinkState } {
  const { now } = natives;
  const places = createPlaces();
  let untilMs = 0;
  let isDown = false;
  let told: LinkState = 'idle';

  const isVouched = () => untilMs > now() && untilMs < now() + LONGEST_MS;
  const announce = createTabs(natives, places, take);

  function take(word?: Told | Vouched): void {
    if (word && 'untilMs' in word) {
      untilMs = word.untilMs;
      isDown = word.isDown;
      // Whoever opens a stream again has to hear of each address anew.
      if (!untilMs) for (const place of places.list) place.isCurrent = false;
    } else if (word) {
      const [place] = places.list.filter(({ key }) => key === word.key);
      if (place) {
        place.isCurrent = word.isCurrent;
        if (word.lastWord) {
          places.remove(place);
          end(place, word.lastWord);
        }
        // Who takes over the stream may not know what we know.
        if (word.state?.id !== place.state?.id) place.state = word.state ?? place.state;
      }
    }
    places.list.forEach(tell);
    const state = stateNow();
    if (state !== told) {
      told = state;
      watch();
    }
  }

  function stateNow(): LinkState {
    if (!places.list.some(({ listeners }) => listeners.length > 0)) return 'idle';
    if (isVouched()) return 'live';
    return isDown ? 'down' : 'connecting';
  }

  function tell(place: Place): void {
    const { state, listeners, told: known } = place;
    const isLive = place.isCurrent && isVouched();
    if (state === known[0] && isLive === known[1]) return;
    place.told = [state, isLive];
    for (const listener of listeners) hear(place, listener);
  }

  function hear(place: Place, listener: Listener): void {
    quiet(listener.onChange)();
    watch(place.want.address, followedOf(place, listener));
  }

  /** To some of those who follow it, and to nobody else. */
  function end(place: Place, lastWord: Followed['lastWord']): void {
    const { listeners } = place;
    place.listeners = [];
    for (const listener of listeners) {
      listener.lastWord = lastWord;
      hear(place, listener);
    }
    changed();
  }

  function followedOf(place: Place, listener: Listener): Followed {
    return {
      get state() {
        return place.state;
      },
      get isLive() {
        return place.isCurrent && !listener.lastWord && isVouched();
      },
      get lastWord() {
        return listener.lastWord;
      },
      leave() {
        place.listeners = place.listeners.filter((other) => other !== listener);
        changed();
      },
    };
  }

  function changed(): void {
    natives.after(0, () => {
      announce();
      take();
    });
  }

  return {
    get state() {
      return stateNow();
    },

    follow(want, onChange) {
      const place = places.open(want);
      const listener: Listener = { onChange, lastWord: undefined };
      for (const other of places.list) {
        if (other === place || other.want.address !== want.address) continue;
        natives.after(0, () => end(other, { event: 'unauthorized', reason: 'ticket' }));
      }
      place.listeners = place.listeners.concat(listener);
      changed();
      return followedOf(place, listener);
    },
  };
}
