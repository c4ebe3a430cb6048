/** Of the browser's own, taken before a page can change it; shorter in the bundle too. */
export const { defineProperty, keys } = Object;

/** The page, as the script's parts use it. */
export interface Browser {
  readonly window: Window & typeof globalThis;
  /** A URL as the page writes it, whole and without its fragment. */
  absolute(url: string): string;
  /** Path and query of a URL of this site; others whole. */
  pathOf(url: string): string;
}

/** Look at the page. */
export function lookAt(window: Window & typeof globalThis): Browser {
  const { document, location } = window;
  const absolute = (url: string) => {
    const link = document.createElement('a');
    link.href = url;
    return link.href.split('#')[0] as string;
  };
  const own = `${location.protocol}//${location.host}`;
  return {
    window,
    absolute,
    pathOf(url) {
      const whole = absolute(url);
      return whole.indexOf(`${own}/`) === 0 ? whole.slice(own.length) : whole;
    },
  };
}
