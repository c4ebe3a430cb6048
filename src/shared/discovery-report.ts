/*
 * What was seen of a site's traffic: which URLs are polled, and what could be done about it.
 *
 * SECURITY: no header or cookie of a client is in it, and of queries and bodies only short values
 * that do not look like secrets, and only of files, never of a running proxy.
 */

/** What was found in files, or in the traffic of a running proxy. */
export interface DiscoveryReport {
  readonly looked: Looked;
  /** The most requests first. */
  readonly found: readonly PolledUrl[];
  /** What a person should know besides: why nothing was found, what was left out. */
  readonly notes: readonly string[];
  /** `live` as it can stand in the config, with comments; `undefined` when there is nothing for it. */
  readonly config?: string;
}

/** What was looked at. */
export interface Looked {
  readonly requests: number;
  /** About: they are counted without being remembered. */
  readonly clients: number;
  /** From the first request to the last. */
  readonly spanMs: number;
  /** When the first request came, in milliseconds since 1970. */
  readonly fromMs?: number;
  /** Lines of a log or entries of a recording that could not be read. */
  readonly unreadable: number;
}

/**
 * What is polled, or looks like it: at a fixed interval; an interval after the last answer; held
 * open by the server until there is something new; to tell that the page is still there; by programs
 * that watch the site; not polled but pushed; a page that loads itself again; an image that is
 * loaded again.
 */
export type PolledKind =
  | 'poll'
  | 'poll-after-answer'
  | 'long-poll'
  | 'heartbeat'
  | 'monitor'
  | 'push'
  | 'refresh'
  | 'image';

/** One URL, or several of one shape, that is asked for again and again. */
export interface PolledUrl {
  /** The path, with `:id` where there are several. */
  readonly path: string;
  readonly method: string;
  readonly kind: PolledKind;
  /** Absent of what has none: long polls and pushes. */
  readonly intervalMs?: number;
  /** From 0 to 1: how sure it is that this is polled. */
  readonly confidence: number;
  /** Different queries and paths that were polled. */
  readonly variants: number;
  /** About. */
  readonly clients: number;
  readonly requests: number;
  readonly perSecond: {
    readonly now: number;
    /** At the site, once the proxy polls it for all who may share. */
    readonly after: number;
  };
  /** Bytes per second that the site would not have to send. */
  readonly savedBytesPerSecond?: number;
  readonly unchanged?: {
    /** The share of answers that were the same as the one before. */
    readonly share: number;
    /** By sizes it is a guess. */
    readonly by: 'content' | 'size';
  };
  readonly sharing: PolledSharing;
  readonly parameters: readonly PolledParameter[];
  /** Paths of the pages that poll it, as far as they say so. */
  readonly pages: readonly string[];
  /** The running proxy answers it already. */
  readonly isLive: boolean;
  /** Why the config below has nothing for it. */
  readonly obstacle?: string;
}

/** Whether clients get the same. */
export interface PolledSharing {
  /**
   * `public`: no request had credentials; `alike`: clients with credentials got the same;
   * `personal`: they did not, or the answers say so; `unknown`.
   */
  readonly kind: 'public' | 'alike' | 'personal' | 'unknown';
  readonly reasons: readonly string[];
}

/** A part of the query or of the body. */
export interface PolledParameter {
  /** As `ignoreQuery`, `ignoreBody` and `match` name it. */
  readonly name: string;
  readonly where: 'query' | 'body';
  /**
   * `buster`: only defeats caches; `cursor`: says what the client has already, so that every answer
   * is another one; `call`: names the call of a script or of JSON-RPC; `choice`: tells polls from
   * other requests of the same path; `part`: of the address.
   */
  readonly role: 'buster' | 'cursor' | 'call' | 'choice' | 'part';
  /** JSON texts, where they may be told. */
  readonly values: readonly string[];
}
