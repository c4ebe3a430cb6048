/*
 * Images that a page loads again and again: `<img>` elements whose `src` a script sets, each time with
 * another query. Of a live address they are given the newest state as a `blob:` address, and nothing goes
 * over the wire. Any other image costs one look into a dictionary.
 */
import type { Followed, LiveState } from './live-states.ts';

/** What the images of a page need. */
export interface ImagesEnv {
  /** What loads of the same image have in common, as far as is known: an address without what is ignored in it. */
  addressOf(url: string): string;
  /** Find out, by loading it once, whether an address of this origin is live; answer later than this call. */
  learn(url: string, answer: (followed: Followed | undefined) => void): void;
  /** The body of a state, with its type. */
  blobOf(state: LiveState): Blob;
}

/** The `blob:` address for a load; `undefined`: it is to go the usual way. */
type Answer = (url: string) => string | undefined;

/** What the page has asked for, as it wrote it and as a whole address, and what it was given. */
type Given = readonly [blob: string, value: string, url: string];

type Taken = HTMLImageElement & { _comet?: Given };

/** A query that is ignored, and that nobody declared, makes a new address of each load. */
const MOST_ADDRESSES = 99;

const MOST_LENGTH = 2000;

const SOURCE = /^src$/i;

/** Answer the loads of live images from now on. */
export function createImages({ addressOf, learn, blobOf }: ImagesEnv): void {
  const image = HTMLImageElement.prototype;
  const { setAttribute, getAttribute } = image;
  const own = Object.getOwnPropertyDescriptor(image, 'src') as Required<PropertyDescriptor>;
  const { get, set } = own;
  const link = document.createElement('a');
  const paths: Record<string, Answer | undefined> = {};
  const pass: Answer = () => undefined;
  let isOff = false;

  /** What to load instead of what the page wants. */
  function find(value: string): string | undefined {
    const name = ` ${value.split(/[?#]/)[0]}`;
    const path = paths[name];
    if (!path) paths[name] = createPath(name);
    else if (path !== pass) {
      link.href = value;
      return path(link.href);
    }
    return undefined;
  }

  /** It asks at the second load of a path, and later at the second one of each of its addresses. */
  function createPath(name: string): Answer {
    const answers: Record<string, Answer | undefined> = {};
    let count = 0;
    let isLive = false;
    let isAsked = false;
    return (url) => {
      const address = addressOf(url);
      const answer = answers[address];
      if (answer && answer !== pass) return answer(url);
      answers[address] = pass;
      if (!answer) count += 1;
      if (count > MOST_ADDRESSES || url.indexOf(`${location.protocol}//${location.host}/`)) {
        paths[name] = pass;
      } else if (!isAsked && (answer || !isLive)) {
        isAsked = true;
        learn(url, (followed) => {
          isAsked = false;
          if (followed) {
            isLive = true;
            const known = addressOf(url);
            answers[known] = createAnswer(followed, () => {
              answers[known] = pass;
            });
          } else if (!isLive) paths[name] = pass;
        });
      }
      return undefined;
    };
  }

  function createAnswer(followed: Followed, end: () => void): Answer {
    let id: string | undefined;
    let blob: string | undefined;
    let former: string | undefined;
    return () => {
      const { state } = followed;
      if (followed.lastWord) end();
      if (!followed.isLive || !state || state.contentType.indexOf('image/')) {
        return undefined;
      }
      if (id !== state.id) {
        // Not yet the last one: it may be loading still.
        if (former) URL.revokeObjectURL(former);
        former = blob;
        blob = URL.createObjectURL(blobOf(state));
        id = state.id;
      }
      return blob;
    };
  }

  function givenTo(taken: Taken): Given | undefined {
    const given = taken._comet;
    return given && get.call(taken) === given[0] ? given : undefined;
  }

  /** Before the page's own listeners: what they hear of is the load from the network. */
  function onError(this: Taken, event: Event): void {
    const given = givenTo(this);
    if (!given) return;
    event.stopImmediatePropagation();
    // The page's policy, in all likelihood, which says the same to the next one.
    isOff = true;
    set.call(this, given[1]);
  }

  own.get = function (this: Taken) {
    const given = givenTo(this);
    return given ? given[2] : get.call(this);
  };
  own.set = function (this: Taken, wanted: unknown) {
    const value = `${wanted}`;
    // What is longer is an image itself.
    const blob = isOff || this.srcset || value.length > MOST_LENGTH ? undefined : find(value);
    if (blob) {
      this._comet = [blob, value, link.href];
      this.addEventListener('error', onError, true);
    }
    set.call(this, blob || value);
  };
  Object.defineProperty(image, 'src', own);
  image.setAttribute = function (name: string, value: string) {
    if (SOURCE.test(name)) this.src = value;
    else setAttribute.call(this, name, value);
  };
  image.getAttribute = function (this: Taken, name: string) {
    const given = SOURCE.test(name) && givenTo(this);
    return given ? given[1] : getAttribute.call(this, name);
  };
}
