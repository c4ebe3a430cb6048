import type {
  DiscoveryReport,
  Looked,
  PolledParameter,
  PolledUrl,
} from '../shared/discovery-report.ts';
import type { Section } from './aligned-lines.ts';
import { alignedLines } from './aligned-lines.ts';
import { printable } from './printable.ts';
import { about, counted, sizeText } from './quantities.ts';

const KINDS: Readonly<Record<PolledUrl['kind'], string>> = {
  poll: 'polled',
  'poll-after-answer': 'polled after each answer',
  'long-poll': 'long poll: the site holds it until there is something new',
  heartbeat: 'heartbeat: it only says that somebody is there',
  monitor: 'monitor or crawler: no page asks for it',
  push: 'pushed already',
  refresh: 'page that loads itself again',
  image: 'image that is loaded again',
};

const ROLES: Readonly<Record<PolledParameter['role'], string>> = {
  buster: 'only defeats caches',
  cursor: 'says what the client has',
  call: 'names the call',
  choice: 'tells polls from other requests',
  part: 'part of the address',
};

const SHARING: Readonly<Record<PolledUrl['sharing']['kind'], string>> = {
  public: 'public',
  alike: 'looks the same for everybody',
  personal: 'personal',
  unknown: 'unknown',
};

/** What was found, for people: aligned, with the config to paste, without a line break at its end. */
export function discoveryText({ looked, found, notes, config }: DiscoveryReport): string {
  const blocks = [
    [lookedText(looked), ...notes],
    ...found.map((url) => [titleOf(url), ...alignedLines(sectionsOf(url))]),
    ...(config === undefined
      ? []
      : [['For the config; nothing is switched on by this:'], config.split('\n')]),
  ];
  return blocks.map((lines) => lines.map(printable).join('\n')).join('\n\n');
}

function lookedText({ requests, clients, spanMs, fromMs, unreadable }: Looked): string {
  const from =
    fromMs === undefined ? '' : `, from ${new Date(fromMs).toISOString().slice(0, 19)}Z on`;
  const bad = unreadable === 0 ? '' : `; ${counted(unreadable, 'line')} could not be read`;
  const within = requests === 0 ? '' : ` within ${about(spanMs)}${from}`;
  return `looked at ${counted(requests, 'request')} of ${counted(clients, 'client')}${within}${bad}`;
}

function titleOf({ method, path, variants }: PolledUrl): string {
  return `${method} ${path}${variants > 1 ? ` (${variants} URLs)` : ''}`;
}

function sectionsOf(url: PolledUrl): Section[] {
  const { kind, intervalMs, clients, requests, confidence, sharing, parameters, pages } = url;
  const every = intervalMs === undefined ? '' : ` every ${about(intervalMs)}`;
  const sure = kind === 'push' ? '' : `, ${Math.round(confidence * 100)} % sure`;
  const who = `by ${counted(clients, 'client')}, ${counted(requests, 'request')}`;
  return [
    { title: 'what', lines: [`${KINDS[kind]}${every}, ${who}${sure}`] },
    { title: 'answers', lines: unchangedLines(url) },
    { title: 'worth', lines: worthLines(url) },
    { title: 'sharing', lines: kind === 'push' ? [] : [sharingText(sharing)] },
    { title: 'query', lines: parameterLines(parameters, 'query') },
    { title: 'body', lines: parameterLines(parameters, 'body') },
    { title: 'pages', lines: pages.length === 0 ? [] : [pages.join(', ')] },
    { title: 'config', lines: [configText(url)] },
  ];
}

function configText({ isLive, obstacle }: PolledUrl): string {
  if (isLive) return 'live already';
  return obstacle === undefined ? 'below' : `none: ${obstacle}`;
}

function unchangedLines({ unchanged }: PolledUrl): string[] {
  if (!unchanged) return [];
  const by = unchanged.by === 'size' ? ', as far as sizes tell' : '';
  return [`${Math.round(unchanged.share * 100)} % the same as the one before${by}`];
}

function worthLines({
  perSecond: { now, after },
  savedBytesPerSecond,
  obstacle,
  isLive,
  kind,
}: PolledUrl): string[] {
  if (kind === 'push') return [];
  const rate = `${perSecond(now)} requests/s`;
  if (obstacle !== undefined || isLive) return [rate];
  const saved =
    savedBytesPerSecond === undefined
      ? ''
      : `, ${sizeText(Math.round(savedBytesPerSecond))}/s less`;
  return [`${rate} now, ${perSecond(after)} at the site after${saved}`];
}

function sharingText({ kind, reasons }: PolledUrl['sharing']): string {
  return [SHARING[kind], ...(reasons.length > 0 ? [reasons.join('; ')] : [])].join(': ');
}

function parameterLines(
  parameters: readonly PolledParameter[],
  side: PolledParameter['where'],
): (readonly [string, string])[] {
  return parameters
    .filter(({ where }) => where === side)
    .map(({ name, role, values }) => {
      const told = values.length > 0 ? `: ${values.join(', ')}` : '';
      return [name, `${ROLES[role]}${told}`] as const;
    });
}

function perSecond(rate: number): string {
  return String(Number(rate.toPrecision(2)));
}
