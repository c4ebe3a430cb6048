import { lookAt } from './browser.ts';
import type { Followed } from './live-states.ts';
import type { Natives } from './natives.ts';
import { quiet } from './natives.ts';
import type { LinkState } from './states.ts';
import { createLiveStates } from './states.ts';

/** What a page's own scripts are told of a live address; see types/client.d.ts. */
export interface Change {
  readonly url: string;
  readonly data: unknown;
  readonly text: string;
  readonly contentType: string;
  readonly status: number;
  readonly isLive: boolean;
  readonly ended: string | undefined;
}

/** What a page's own scripts can use, as `window.comet`. */
export interface Comet {
  readonly state: LinkState;
  subscribe(url: string, listener: (change: Change) => void): () => void;
}

/** Make the page's view of all that it follows, and what its scripts may use of it. */
export function createApi(natives: Natives) {
  const { window } = natives;
  const { document } = window;
  const { pathOf } = lookAt(window);

  const states = createLiveStates(natives, (address, followed) => {
    // The constructor is not there in old browsers.
    const event = document.createEvent('CustomEvent');
    if (address && followed) {
      event.initCustomEvent(
        'comet:change',
        false,
        false,
        changeOf(address.split('#')[0], followed),
      );
    } else event.initCustomEvent('comet:state', false, false, { state: states.state });
    document.dispatchEvent(event);
  });

  const comet: Comet = {
    get state() {
      return states.state;
    },
    subscribe(url, listener) {
      const path = pathOf(url);
      const tell = () => {
        if (!followed.state && !followed.lastWord) return;
        try {
          listener(changeOf(url, followed));
        } catch (error) {
          // It is the page's: whoever looks for it finds it where the page's errors are.
          window.setTimeout(() => {
            throw error;
          });
        }
      };
      // By a name of its own: the proxy leaves parameters out of the address that do not count.
      const address = `${path}#${path.replace(/\W/g, '-').slice(-32)}`;
      const followed = states.follow({ address }, tell);
      if (followed.state) natives.after(0, tell);
      return followed.leave;
    },
  };
  return { states, comet };
}

function changeOf(url = '', { state, isLive, lastWord }: Followed): Change {
  const { data: text = '', contentType = '', status = 0 } = state ?? {};
  let data: unknown;
  return {
    url,
    // Nobody may want it.
    get data() {
      if (data === undefined) {
        data = text;
        quiet(() => {
          if (/json/.test(contentType)) data = JSON.parse(text);
        })();
      }
      return data;
    },
    text,
    contentType,
    status,
    isLive,
    ended: lastWord?.event,
  };
}
