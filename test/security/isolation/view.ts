/** What a site can see of who asks. */
export interface View {
  /** Path and query. */
  readonly target: string;
  readonly host: string;
  readonly scheme: string;
  /** The address of the client. */
  readonly address: string;
  /** Flat list of header names and values. */
  readonly headers: readonly string[];
  /** What it would send, or has sent. */
  readonly content: Content;
}

/** The body of a request. */
export interface Content {
  readonly type: string;
  readonly text: string;
}

/** One thing that answers depend on. It shares no code with the proxy. */
export interface Component {
  /** How the config names it; `undefined` where it is not said. */
  readonly vary: string | undefined;
  of(view: View): unknown;
  /**
   * May a poll of an endpoint that varies on this carry this header, named in lower case? Of cookies
   * it is asked one by one.
   */
  carries(name: string, value: string): boolean;
}

/** All cookies, line by line. */
export const COOKIES: Component = header('cookie');

/** The address of the client. */
export const ADDRESS: Component = {
  vary: 'ip',
  of: ({ address }) => address,
  carries: (name) => name === 'x-forwarded-for',
};

/** The body, and its type. */
export const CONTENT: Component = {
  vary: undefined,
  of: ({ content }) => [content.type, content.text],
  carries: (name) => name === 'content-type' || name === 'content-length',
};

/** All values of one cookie, in order. */
export function cookie(wanted: string): Component {
  return {
    vary: `cookie:${wanted}`,
    of: (view) =>
      valuesOf(view, 'cookie')
        .flatMap((line) => line.split(';'))
        .map((pair) => pair.replace(/^[ \t]+|[ \t]+$/g, ''))
        .filter((pair) => pair.split('=')[0] === wanted),
    carries: (name, pair) => name === 'cookie' && pair.split('=')[0] === wanted,
  };
}

/** All values of one header, in order. */
export function header(wanted: string): Component {
  return {
    vary: wanted,
    of: (view) => valuesOf(view, wanted),
    carries: (name) => name === wanted,
  };
}

/** All headers whose names begin so. */
export function headers(prefix: string): Component {
  const carries = (name: string) => name.startsWith(prefix);
  return {
    vary: `${prefix}*`,
    of: (view) => {
      const names = view.headers.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
      const own = [...new Set(names.filter(carries))].sort();
      return own.map((name) => [name, valuesOf(view, name)]);
    },
    carries,
  };
}

/** The values of one header, in order. */
export function valuesOf({ headers: raw }: Pick<View, 'headers'>, wanted: string): string[] {
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === wanted);
}
