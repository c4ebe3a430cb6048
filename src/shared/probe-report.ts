import type { RawHeaders } from './raw-headers.ts';

/*
 * What `check --probe` found at the upstreams of a config.
 *
 * SECURITY: no secret is in it: of headers and cookies the names only, of bodies nothing but the names
 * of their parts. Query values that look like secrets are hidden.
 */

/** What was found, in the order of the config. */
export interface ProbeReport {
  readonly upstreams: readonly UpstreamProbe[];
  readonly endpoints: readonly EndpointProbe[];
  /** Of the whole run. */
  readonly findings: readonly Finding[];
}

/** What is to be probed besides what the config says. */
export interface ProbeQuestion {
  /** URLs of live endpoints, as paths or as browsers have them. */
  readonly urls: readonly string[];
  /** The headers of somebody who may ask. */
  readonly headers: RawHeaders;
  /** The URLs are polled by `POST` with this body; without one by `GET`. */
  readonly body?: string;
  /** From the first poll of a URL to the second. */
  readonly waitMs: number;
}

/** How it ended. */
export type ProbeOutcome =
  | { readonly kind: 'probed'; readonly report: ProbeReport }
  /** Nothing was asked: these URLs are of no live endpoint. */
  | { readonly kind: 'unmatched'; readonly urls: readonly UnmatchedUrl[] }
  /** Nothing was asked: the config names what cannot be used. */
  | { readonly kind: 'unusable'; readonly message: string };

/** A URL of no live endpoint, and why. */
export interface UnmatchedUrl {
  readonly url: string;
  readonly why: string;
}

/** Something that a person should know. */
export interface Finding {
  /**
   * `problem`: as the config stands it cannot work; `warning`: it works, but otherwise than was meant,
   * as a rule; `note`: it is as it should be, or nobody can say more.
   */
  readonly level: 'problem' | 'warning' | 'note';
  readonly code: FindingCode;
  readonly text: string;
  /** A line for the endpoint's config, ready to paste. */
  readonly config?: string;
}

/** A stable name for a finding, for programs. */
export type FindingCode = UpstreamCode | AnswerCode | ValidatorCode | ChangeCode | SharingCode;

type UpstreamCode = 'unreachable' | 'no-answer' | 'server-error' | 'not-sent';
type AnswerCode = 'not-probed' | 'refused' | 'gone' | 'status' | 'login-page' | 'slow';
type ValidatorCode =
  | 'no-validators'
  | 'not-modified'
  | 'conditions-ignored'
  | 'validator-unchanged'
  | 'conditions-untried'
  | 'conditions-unclear';
type ChangeCode = 'unchanged' | 'changes' | 'changes-unnamed' | 'changes-ignored';
type SharingCode =
  | 'set-cookie'
  | 'vary'
  | 'cache-control'
  | 'depends-on-who-asks'
  | 'varies-as-said'
  | 'same-for-all'
  | 'who-asks-untried';

/** One server behind the proxy. */
export interface UpstreamProbe {
  /** `site`, or `comet` with the path of its mount. */
  readonly name: string;
  /** What was asked for. */
  readonly url: string;
  /** Until there was a connection, TLS included. */
  readonly connectMs?: number;
  /** The version of TLS. */
  readonly tls?: string;
  readonly status?: number;
  /** Until the head of the answer was there. */
  readonly tookMs?: number;
  readonly findings: readonly Finding[];
}

/** One URL of a live endpoint, or an endpoint that was not probed. */
export interface EndpointProbe {
  /** The endpoint's name: its pattern. */
  readonly endpoint: string;
  readonly method: string;
  /** Path and query of the polls, or the pattern. */
  readonly url: string;
  readonly answers: readonly AnswerProbe[];
  readonly findings: {
    readonly answer: readonly Finding[];
    readonly validators: readonly Finding[];
    readonly change: readonly Finding[];
    readonly sharing: readonly Finding[];
  };
}

/** One answer. */
export interface AnswerProbe {
  /**
   * Who asked: `nobody`, by a poll without credentials; `client`, by the poll of who has the given
   * headers; `request`, with all of them.
   */
  readonly as: 'nobody' | 'client' | 'request';
  readonly tookMs: number;
  readonly status?: number;
  readonly contentType?: string;
  /** Of the body, decompressed. */
  readonly bytes?: number;
  readonly isCompressed?: boolean;
  /** Names of the validators: `ETag`, `weak ETag`, `Last-Modified`. */
  readonly validators?: readonly string[];
  /** Names of the cookies that it sets. */
  readonly setsCookies?: readonly string[];
  /** Why there was no answer. */
  readonly failure?: string;
}

/** Every finding of a report. */
export function allFindings({ upstreams, endpoints, findings }: ProbeReport): Finding[] {
  return [
    ...upstreams.flatMap((upstream) => upstream.findings),
    ...endpoints.flatMap((endpoint) => Object.values(endpoint.findings).flat()),
    ...findings,
  ];
}
