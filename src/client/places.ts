import type { Followed, LiveState, Want } from './live-states.ts';

/** Who follows a place in this page. */
export interface Listener {
  onChange(): void;
  lastWord: Followed['lastWord'];
}

/** One address with one ticket that is followed, and what is known of it. */
export interface Place {
  readonly key: string;
  readonly want: Want;
  /** Empty where only other tabs follow it. */
  listeners: readonly Listener[];
  /** What the listeners know. */
  told: readonly unknown[];
  state: LiveState | undefined;
  /** The stream has confirmed the state since it began, and its upstream works. */
  isCurrent: boolean;
  /** Other tabs that follow it, and when they said so; for who holds the stream, as all below. */
  tabs: Record<string, number>;
  /** What it is asked for as; empty before it was. */
  url: string;
  /** The id of the last event. */
  cursor: string | undefined;
  isStale: boolean;
}

/** What who holds the stream says of a place. */
export interface Told extends Pick<Place, 'key' | 'state' | 'isCurrent'> {
  readonly lastWord: Followed['lastWord'];
}

/** What it says of the stream. */
export interface Vouched {
  /**
   * By the wall clock, which all tabs share: what was told may be taken for true until then. With 0
   * a stream begins or has ended, and nothing is true before it is told again.
   */
  readonly untilMs: number;
  readonly isDown: boolean;
  /** A new tab holds the stream: what does everybody follow? */
  readonly isNew: boolean;
}

/** What a tab says to who holds the stream. */
export interface Announced {
  readonly tab: string;
  readonly wants: readonly Want[];
  /** It knows nothing yet. */
  readonly isNew: boolean;
}

/** All that this page follows; with those of other tabs where it holds the stream for them. */
export interface Places {
  list: readonly Place[];
  /** Where it is followed, or a new place. */
  open(want: Want): Place;
  remove(place: Place): void;
}

/** Begin without any. */
export function createPlaces(): Places {
  const places: Places = {
    list: [],
    open(want) {
      const { address, ticket } = want;
      const key = `${address} ${ticket}`;
      const [known] = places.list.filter((place) => place.key === key);
      if (known) return known;
      const place: Place = {
        key,
        want: { address, ticket },
        listeners: [],
        told: [undefined, false],
        state: undefined,
        isCurrent: false,
        tabs: {},
        url: '',
        cursor: undefined,
        isStale: false,
      };
      places.list = places.list.concat(place);
      return place;
    },
    remove(place) {
      places.list = places.list.filter((other) => other !== place);
    },
  };
  return places;
}
