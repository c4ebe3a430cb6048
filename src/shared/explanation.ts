import type { RawHeaders } from './raw-headers.ts';

/*
 * What the running proxy knows of one URL, for the person who asks why a page gets no pushes.
 *
 * SECURITY: no secret is in it: no header of a client, no cookie, no body, no token; of a channel's
 * name the beginning only, which is a keyed hash. Query values that look like secrets are hidden.
 */

/** A request that somebody wants explained; it is not sent. */
export interface Question {
  /** A path with its query, or a URL as a browser has it, whose scheme and host count. */
  readonly target: string;
  readonly method: string;
  readonly headers: RawHeaders;
  readonly body?: string;
}

/** What becomes of a request for a URL, and why. */
export interface Explanation {
  /** Path and query less what `ignoreQuery` names: the address that a channel has. */
  readonly url: string;
  readonly route: RouteKind;
  /** The pattern of the live endpoint that is meant, or the path of the mount. */
  readonly pattern?: string;
  /** Why it is this route, in a sentence. */
  readonly why: string;
  /** The effective settings of the endpoint in words, by the keys of the config. */
  readonly endpoint?: Readonly<Record<string, string>>;
  /** Absent of what is no page of the site, and where the config has no `inject`. */
  readonly inject?: InjectReport;
  readonly sharing?: Sharing;
  /** What trying the endpoint has shown, where it is tried (`shadow`). */
  readonly shadow?: ShadowReport;
  /** The first 12 characters of the keyed hash that names the channel; logs show 8 of them. */
  readonly key?: string;
  /** The channel of this very request; absent while nobody wants it. */
  readonly channel?: ChannelReport;
  /** Channels open now of the whole endpoint: all its URLs and clients. */
  readonly channelsOfEndpoint?: number;
  /** Channels of this URL that are open for other clients. */
  readonly siblings?: readonly Sibling[];
}

/**
 * Where a request goes: to the site, to a live endpoint, to a Comet origin; or it is answered by the
 * proxy itself, under `/_comet/`, or is refused.
 */
export type RouteKind = 'site' | 'live' | 'mount' | 'own' | 'refused';

/** Whether pages get the browser script. */
export interface InjectReport {
  /** As it was with the last page at this path; `unknown` when none was sent yet. */
  readonly injected: 'yes' | 'no' | 'unknown';
  readonly reason: string;
}

/** Who shares a poll with whom. */
export interface Sharing {
  /** With everybody; with who is alike in `vary`; or with every session that is authorized. */
  readonly kind: 'public' | 'private' | 'authorized';
  readonly reason: string;
  /** Parts that clients are told apart by and that the request which was asked about has not. */
  readonly missing?: readonly string[];
  /** Why the answers were taken to be meant for one client, so that nobody shares them now. */
  readonly personal?: string;
}

/** What trying an endpoint has shown since the start of the proxy. */
export interface ShadowReport {
  /** Plain requests that could have been converted. */
  readonly requests: number;
  /** Those that the state would have answered. */
  readonly saved: number;
  /** Of those: the true answer is a state that the channel had around it, */
  readonly matched: number;
  /** is none of them, */
  readonly mismatched: number;
  /** or could not be compared, by the reason. */
  readonly incomparable: Readonly<Record<string, number>>;
}

/** One channel as it is now. */
export interface ChannelReport {
  readonly openedAgoMs: number;
  /** The interval while all is well. */
  readonly intervalMs: number;
  /** The last poll of this node that has ended. */
  readonly lastPoll?: PollRecord;
  /** Absent when none is planned: nobody streams, one is under way, or another node polls. */
  readonly nextPollInMs?: number;
  /** Since when the state is as it is. */
  readonly lastChangeAgoMs?: number;
  /** Who polls; by default this node. */
  readonly polledBy?: 'this node' | 'another node';
  /** Polls that failed in a row. */
  readonly failures: number;
  /** Subscribers were told that the upstream fails. */
  readonly isStale: boolean;
  /** Of state and log together. */
  readonly bytes: number;
  readonly eventsInLog: number;
  /** Subscribers by transport; those on the endpoint's own URL may have names of their own. */
  readonly subscribers: Readonly<Record<string, number>>;
}

/** How one poll ended. */
export interface PollRecord {
  /** Since it ended. */
  readonly agoMs: number;
  readonly outcome: 'changed' | 'unchanged' | 'failed' | 'ended';
  readonly status?: number;
  readonly tookMs: number;
  /** Why it failed or ended. */
  readonly detail?: string;
}

/** A channel of the same URL that another client has. */
export interface Sibling {
  /** As `key`. */
  readonly key: string;
  readonly subscribers: number;
  /** Names of what is different in its requests: `cookie`, `host`, … */
  readonly differsIn: readonly string[];
}
