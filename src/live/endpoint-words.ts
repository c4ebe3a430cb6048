import type { BodyField } from '../config/body-field.ts';
import { bodyFieldSource } from '../config/body-field.ts';
import type { Part } from '../config/part.ts';
import type { Handshake, Match, RequestChanges, Wanted } from '../config/request.ts';
import type { RequestPattern } from '../config/request-pattern.ts';
import type { EndpointConfig } from '../config/schema.ts';
import { formatDuration } from '../config/units.ts';
import type { VaryItem } from '../config/vary.ts';

/*
 * The settings of an endpoint for people, much as the config has them.
 */

/** Settings that not every endpoint has. */
export interface SpecialSettings {
  readonly method?: 'GET' | 'POST';
  readonly match?: Match;
  readonly request?: RequestChanges;
  readonly ignoreBody?: readonly BodyField[];
  readonly rpc?: 'json-rpc' | undefined;
  readonly handshake?: Handshake | undefined;
  readonly authorizedBy?: readonly VaryItem[];
  readonly probeEvery?: number;
  readonly setCookie?: 'end' | 'drop' | 'keep';
  readonly cacheControl?: 'obey' | 'ignore';
  readonly select?: readonly Part[] | undefined;
  readonly ignore?: readonly Part[] | undefined;
  readonly refreshOn?: readonly RequestPattern[] | undefined;
}

/** An endpoint's config, as far as it is told. */
export type EndpointSettings = SpecialSettings &
  Pick<
    EndpointConfig,
    | 'every'
    | 'vary'
    | 'polls'
    | 'hold'
    | 'share'
    | 'shadow'
    | 'patch'
    | 'compress'
    | 'transports'
    | 'ignoreQuery'
    | 'headers'
    | 'timeout'
    | 'linger'
  >;

const POLLS = {
  pass: "pass: a plain GET gets the site's own answer",
  absorb: 'absorb: a plain GET gets the last known state',
  hold: 'hold: a plain GET waits for the next state, if its client has the last one',
} as const;

const SHADOW = "true: a plain GET gets the site's own answer, which is compared with the state";

/**
 * Every setting that bears on what a client gets, in words, by its key; where it is the default only
 * if people ask for it.
 *
 * SECURITY: of what a poll sends the names only: constant headers and fields may be credentials.
 */
export function endpointWords(config: EndpointSettings): Readonly<Record<string, string>> {
  const { polls, patch, compress, match, request, handshake } = config;
  const rows: readonly (readonly [key: keyof EndpointSettings, words: string])[] = [
    ['every', intervalWords(config.every)],
    ['method', config.method === 'POST' ? 'POST' : ''],
    [
      'match',
      match ? listed([...match.query, ...match.body.map(namedField)].map(wantedWords)) : '',
    ],
    ['vary', listed(config.vary.map(varyLabel)) || '[]'],
    ['authorizedBy', listed((config.authorizedBy ?? []).map(varyLabel))],
    ['probeEvery', probeWords(config)],
    ['polls', POLLS[polls]],
    ['hold', polls === 'hold' ? formatDuration(config.hold) : ''],
    ['share', shareWords(config.share)],
    ['shadow', config.shadow ? SHADOW : ''],
    ['select', listed((config.select ?? []).map(partLabel))],
    ['ignore', listed((config.ignore ?? []).map(partLabel))],
    ['refreshOn', refreshWords(config.refreshOn)],
    ['setCookie', config.setCookie ?? ''],
    ['cacheControl', config.cacheControl === 'ignore' ? 'ignore' : ''],
    ['transports', listed(config.transports)],
    ['patch', patch === 'none' ? '' : patch],
    ['compress', compress === undefined ? '' : String(compress)],
    ['ignoreQuery', listed(config.ignoreQuery)],
    ['ignoreBody', listed((config.ignoreBody ?? []).map(bodyFieldSource))],
    ['rpc', config.rpc ?? ''],
    [
      'request',
      request ? listed([...request.query, ...request.body.map(namedField)].map(named)) : '',
    ],
    ['handshake', handshake ? `${handshake.header}, handed out with ${handshake.status}` : ''],
    ['headers', listed(Object.keys(config.headers))],
    ['timeout', formatDuration(config.timeout)],
    ['linger', formatDuration(config.linger)],
  ];
  return Object.fromEntries(rows.filter(([, words]) => words !== ''));
}

/** One entry of `vary` as it stands in the config. */
export function varyLabel(item: VaryItem): string {
  switch (item.kind) {
    case 'cookies':
      return 'cookie';
    case 'cookie':
      return `cookie:${item.name}`;
    case 'query':
      return `query:${item.name}`;
    case 'address':
      return 'ip';
    case 'header':
      return item.name;
    case 'headers':
      return item.pattern;
  }
}

function intervalWords({ minMs, maxMs }: EndpointConfig['every']): string {
  return minMs === maxMs
    ? formatDuration(minMs)
    : `${formatDuration(minMs)}..${formatDuration(maxMs)}, by how often it changes`;
}

function probeWords({ authorizedBy = [], probeEvery }: SpecialSettings): string {
  return authorizedBy.length === 0 || probeEvery === undefined ? '' : formatDuration(probeEvery);
}

function shareWords(share: number): string {
  if (share >= 1) return '';
  if (share <= 0) return "0%: every plain GET gets the site's own answer";
  return `${percentOf(share)} of the clients; the others' plain GETs get the site's own answers`;
}

/** A share as the config has it, without what calculating with it has added. */
export function percentOf(share: number): string {
  return `${Number((share * 100).toFixed(3))}%`;
}

function refreshWords(patterns: readonly RequestPattern[] | undefined): string {
  if (patterns === undefined) return '';
  const labels = patterns.map(({ method, pattern }) => `${method ?? 'unsafe'} ${pattern.source}`);
  return listed(labels) || '[]';
}

function wantedWords({ name, wanted }: { name: string; wanted: Wanted }): string {
  const values = wanted.values === 'any' ? ['*'] : wanted.values.map((value) => String(value));
  return `${name}=${[...values, ...(wanted.mayLack ? ['(absent)'] : [])].join('|')}`;
}

function partLabel(part: Part): string {
  return part.kind === 'path' ? part.source : `css ${part.selector}`;
}

function namedField<T extends { readonly field: BodyField }>(entry: T): T & { name: string } {
  return { ...entry, name: bodyFieldSource(entry.field) };
}

function named({ name }: { readonly name: string }): string {
  return name;
}

function listed(items: readonly string[]): string {
  return items.join(', ');
}
