import type { Browser } from './browser.ts';

/** Parts of the script that are loaded when they are needed: by name, what they bring. */
export interface Parts {
  /**
   * Called with what a part brings, at once if it is there.
   *
   * @param onFailure - Called if it cannot be loaded: for the first who wanted it.
   */
  use<T>(name: string, use: (part: T) => void, onFailure?: () => void): void;
  /** A part is there. */
  provide(name: string, part: unknown): void;
}

/** Where parts find each other. */
export interface PartsWindow {
  __comet?: Parts;
}

/** @param script - Our own tag: the parts lie beside it, and what lets it run lets them. */
export function createParts({ window }: Browser, script: HTMLScriptElement): Parts {
  const { document } = window;
  const there: Record<string, unknown> = {};
  const waiting: Record<string, ((part: never) => void)[] | undefined> = {};

  function load(name: string, onFailure?: () => void): void {
    const element = document.createElement('script');
    element.onerror = () => {
      waiting[name] = undefined;
      if (onFailure) onFailure();
    };
    if (script.nonce) element.nonce = script.nonce;
    element.src = script.src.replace(/client(?=[^/]*$)/, name);
    (document.head || document.documentElement).appendChild(element);
  }

  return {
    use(name, use, onFailure) {
      const callbacks = waiting[name];
      if (name in there) use(there[name] as never);
      else if (callbacks) callbacks.push(use as never);
      else {
        waiting[name] = [use as never];
        load(name, onFailure);
      }
    },
    provide(name, part) {
      there[name] = part;
      for (const use of waiting[name] || []) use(part as never);
    },
  };
}
