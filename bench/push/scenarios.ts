import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Goal } from '../figures.ts';
import type { Contender, Load } from './contender.ts';
import { C_FLOOR, NODE_FLOORS } from './floors.ts';
import { temporaryFolder } from './native.ts';
import { nchan } from './nchan.ts';
import type { Certificate } from './ours.ts';
import { ours, WAYS } from './ours.ts';
import { PUSHPIN } from './pushpin.ts';
import { objectionTo } from './subscribers.ts';

/** One table. */
export interface Scenario {
  readonly title: string;
  readonly load: Load;
  readonly contenders: readonly Contender[];
  readonly seconds: number;
  readonly rounds: number;
  /** @param figures - Medians by the names of contenders; NaN where one was left out. */
  goals(figures: Figures): readonly Goal[];
}

interface Figures {
  /** Of one, as a multiple of that of another one. */
  cpu(name: string, than: string): number;
  last(name: string): number;
}

const SMALL = 100;
const LARGE = 2_000;
const sse = ours(WAYS.sse);
const peers = [nchan('sse'), PUSHPIN];
const many = { subscribers: 2_000, endpoints: 1, bytes: SMALL, intervalMs: 200 };

/** The scenarios that a word stands for. */
export function scenarios(wanted: string | undefined): readonly Scenario[] {
  if (wanted === undefined) return USUAL;
  const all = [...USUAL, ...others()];
  return wanted === 'all' ? all : all.filter(({ title }) => title.includes(wanted));
}

const USUAL: readonly Scenario[] = [
  {
    title: '2,000 subscribers, 100 B, each 200 ms',
    load: many,
    contenders: [
      C_FLOOR,
      ...NODE_FLOORS,
      sse,
      ours(WAYS.sseGzip),
      ours(WAYS.ssePatch),
      ours(WAYS.stream),
      ours(WAYS.multipart),
      ours(WAYS.ws),
      ...peers,
    ].filter(isPossible),
    seconds: 2,
    rounds: 3,
    goals: ({ cpu }) => [
      { name: 'sse, CPU: x C loop of send()', value: cpu(sse.name, C_FLOOR.name), limit: 1.2 },
      ...peers.map(({ name }) => ({
        name: `sse, CPU: x ${name}`,
        value: cpu(sse.name, name),
        limit: 1,
        isBelow: true,
      })),
      ...(['stream', 'multipart', 'ws'] as const).map((way) => ({
        name: `${way}, CPU: x C loop of send()`,
        value: cpu(ours(WAYS[way]).name, C_FLOOR.name),
        limit: 1.35,
      })),
      {
        name: 'sse with gzip, CPU: x without',
        value: cpu(ours(WAYS.sseGzip).name, sse.name),
        limit: 1.15,
      },
    ],
  },
  {
    title: '9,000 subscribers, 100 B, each 500 ms',
    load: { subscribers: 9_000, endpoints: 1, bytes: SMALL, intervalMs: 500 },
    contenders: [C_FLOOR, sse, nchan('sse')],
    seconds: 4,
    rounds: 2,
    goals: ({ last }) => [
      {
        name: 'last of 9,000, median: x Nchan',
        value: last(sse.name) / last(nchan('sse').name),
        limit: 1,
      },
    ],
  },
];

function others(): readonly Scenario[] {
  const all = { rounds: 3, goals: () => [] };
  const certificate = createCertificate();
  return [
    {
      title: '100 subscribers, 100 B, each 50 ms',
      load: { ...many, subscribers: 100, intervalMs: 50 },
      contenders: [C_FLOOR, ...NODE_FLOORS, sse, ...peers],
      seconds: 8,
      ...all,
    },
    {
      title: 'envelopes, 2,000 subscribers, 100 B, each 200 ms',
      load: many,
      contenders: [C_FLOOR, sse, ours(WAYS.sseEnveloped), ours(WAYS.iframe)],
      seconds: 6,
      ...all,
    },
    {
      title: '2,000 subscribers, 2,000 B, each 200 ms',
      load: { ...many, bytes: LARGE },
      contenders: [
        C_FLOOR,
        ...NODE_FLOORS,
        sse,
        ours(WAYS.sseGzip),
        ours(WAYS.ssePatch),
        ours(WAYS.streamGzip),
        ...peers,
      ].filter(isPossible),
      seconds: 6,
      ...all,
    },
    {
      title: '2,000 subscribers over 200 endpoints, 100 B, each 1,000 ms, polls included',
      load: { ...many, endpoints: 200, intervalMs: 1_000 },
      contenders: [sse, ours(WAYS.ws), ...peers],
      seconds: 10,
      ...all,
    },
    {
      title: 'WebSocket, 2,000 subscribers, 100 B, each 200 ms',
      load: many,
      contenders: [C_FLOOR, ours(WAYS.wsBare), ours(WAYS.ws), nchan('ws')],
      seconds: 6,
      ...all,
    },
    {
      title: 'long polls, 500 subscribers, 100 B, each 500 ms',
      load: { ...many, subscribers: 500, intervalMs: 500 },
      contenders: [ours(WAYS.poll), ours(WAYS.jsonp), nchan('poll')].filter(isPossible),
      seconds: 10,
      ...all,
    },
    ...(certificate
      ? [
          {
            title: 'TLS, 1,000 subscribers, 100 B, each 200 ms, client of Node',
            load: { ...many, subscribers: 1_000 },
            contenders: [ours(WAYS.sse, certificate), nchan('sse', certificate)],
            seconds: 6,
            ...all,
          },
        ]
      : []),
  ];
}

/** Some ways need the client in C. */
function isPossible({ name }: Contender): boolean {
  const way = Object.values(WAYS).find((one) => name === `comet-proxy: ${one.name}`);
  const objection = way && objectionTo(way.speech);
  if (objection !== undefined) console.log(`${name} is left out: it ${objection}`);
  return objection === undefined;
}

function createCertificate(): Certificate | undefined {
  const folder = temporaryFolder('bench-tls-');
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'];
  try {
    execFileSync('openssl', ['req', '-x509', ...kind, ...files], { stdio: 'ignore' });
    return { cert, key };
  } catch {
    console.log('TLS is left out: openssl is not installed');
    return undefined;
  }
}
