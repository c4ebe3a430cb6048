import { formatDuration } from '../config/units.ts';
import { configLine } from '../shared/config-line.ts';
import type { PolledUrl } from '../shared/discovery-report.ts';
import { isId } from './path-groups.ts';

/** What is found of one kind of polls, with what only the config needs. */
export interface Found {
  readonly url: PolledUrl;
  /** Names of cookies by which clients may be told apart. */
  readonly cookieNames: readonly string[];
  readonly hasAuthorization: boolean;
  readonly forbidsStoring: boolean;
  readonly setsCookies: boolean;
  /** Other requests of the same path. */
  readonly others: number;
}

const SESSION =
  /sess|^sid$|[._-]sid$|auth|token|jwt|login|remember|^(?:jsessionid|phpsessid)$|asp\.net/i;
/** An interval this near to a round one is that one. */
const ROUND = 0.01;

/**
 * `"live": {…}` with a comment for each choice, as lines.
 *
 * @returns `undefined` when there is nothing for it.
 */
export function configFragment(all: readonly Found[]): string | undefined {
  const byPath = new Map<string, Found[]>();
  for (const found of all) {
    const { path, isLive, obstacle } = found.url;
    if (isLive || obstacle !== undefined) continue;
    byPath.set(path, [...(byPath.get(path) ?? []), found]);
  }
  if (byPath.size === 0) return undefined;
  const entries = [...byPath].map(([path, some]) => entryLines(path, some));
  return ['"live": {', ...joined(entries).map((line) => `  ${line}`), '}'].join('\n');
}

function entryLines(path: string, some: readonly Found[]): string[] {
  const [first] = some;
  if (!first) return [];
  const key = `${quoted(path)}: `;
  const hint = idHint(path);
  if (some.length === 1) {
    return [...aboutLines(first), ...hint, `${key}{`, ...indented(keyLines(first)), '}'];
  }
  // The first one that fits counts, so those that say less come last.
  const sorted = some.toSorted((a, b) => choices(b) - choices(a));
  const objects = sorted.map((found) => [
    ...aboutLines(found),
    '{',
    ...indented(keyLines(found)),
    '}',
  ]);
  return [...hint, `${key}[`, ...indented(joined(objects)), ']'];
}

function choices({ url }: Found): number {
  return url.parameters.filter(({ role }) => role === 'choice').length;
}

function idHint(path: string): string[] {
  const id = path.split('/').find(isId);
  if (id === undefined) return [];
  const pattern = path.split('/').map((segment) => (segment === id ? ':id' : segment));
  return [`// If there are others like it: ${quoted(pattern.join('/'))}`];
}

function aboutLines({ url }: Found): string[] {
  const { clients, intervalMs = 0, kind, unchanged, perSecond, method, pages, variants } = url;
  const way = {
    'poll-after-answer': 'after each answer',
    refresh: 'the page loads itself again',
    image: 'an image that is loaded again',
  }[kind as string];
  const same = unchanged ? `, ${Math.round(unchanged.share * 100)} % of answers unchanged` : '';
  const by = unchanged?.by === 'size' ? ' by size' : '';
  const from = pages.length > 0 ? `, from ${pages.map(quoted).join(', ')}` : '';
  const count = variants > 1 ? ` ${variants} URLs,` : '';
  const lines = [
    `// ${method},${count} ${clients} ${clients === 1 ? 'client' : 'clients'}, every ${formatDuration(roundInterval(intervalMs))}${way ? ` (${way})` : ''}${same}${by}${from}`,
  ];
  const { now, after } = perSecond;
  if (after < now * 0.9)
    lines.push(`// ${rate(now)} requests a second at the site would be ${rate(after)}.`);
  return lines;
}

function keyLines(found: Found): string[] {
  const { url } = found;
  const { method, intervalMs = 1_000 } = url;
  return separated([
    { line: `"every": "${formatDuration(roundInterval(intervalMs))}"` },
    ...(method === 'POST' ? [{ line: '"method": "POST"' }] : []),
    ...matchLines(found),
    ...parameterLines(url),
    ...sharingLines(found),
  ]);
}

/** A line of the config, or a comment alone, or both. */
interface Line {
  readonly comment?: string;
  readonly line?: string;
}

function matchLines({ url, others }: Found): Line[] {
  const chosen = url.parameters.filter(({ role }) => role === 'choice');
  const sides = (['query', 'body'] as const).flatMap((side) => {
    const own = chosen.filter(({ where }) => where === side);
    if (own.length === 0) return [];
    const items = own.map(({ name, values }) => {
      const safe = values.map(escaped);
      return `${quoted(name)}: ${safe.length === 1 ? safe[0] : `[${safe.join(', ')}]`}`;
    });
    return [`"${side}": { ${items.join(', ')} }`];
  });
  if (sides.length === 0) {
    return others > 0
      ? [{ comment: 'Other requests of this path are not polled, and look the same.' }]
      : [];
  }
  const comment =
    others > 0
      ? 'Other requests of this path are not polled: only these are.'
      : 'Only these were seen to be polls: everything else of this path goes to the site.';
  return [{ comment, line: `"match": { ${sides.join(', ')} }` }];
}

function parameterLines({ parameters }: PolledUrl): Line[] {
  const busters = (side: 'query' | 'body') =>
    parameters.filter(({ role, where }) => role === 'buster' && where === side);
  const comment = 'Another value each time: it only defeats caches.';
  const query = busters('query').map(({ name }) => name);
  const body = busters('body').map(({ name }) => name);
  const isDefault = query.length === 0 || (query.length === 1 && query[0] === '_');
  return [
    ...(isDefault ? [] : [{ comment, line: configLine('ignoreQuery', query.map(quoted)) }]),
    ...(body.length === 0 ? [] : [{ comment, line: configLine('ignoreBody', body.map(quoted)) }]),
    ...(parameters.some(({ role, where }) => role === 'call' && where === 'body')
      ? [
          {
            comment: 'Each call has an id of its own, which its client gets back.',
            line: '"rpc": "json-rpc"',
          },
        ]
      : []),
  ];
}

function sharingLines({
  url,
  cookieNames,
  hasAuthorization,
  forbidsStoring,
  setsCookies,
}: Found): Line[] {
  const { kind, reasons } = url.sharing;
  const why = sentence(reasons.join('; '));
  if (kind === 'public') {
    return [
      { comment: `${why} One poll for everybody.`, line: '"vary": []' },
      ...(forbidsStoring
        ? [
            {
              comment: 'The site forbids to store what it gives to those without credentials, too.',
              line: '"cacheControl": "ignore"',
            },
          ]
        : []),
      ...(setsCookies
        ? [{ comment: 'Answers set cookies, and are not shared then: see "setCookie".' }]
        : []),
    ];
  }
  const sessions = cookieNames.filter((name) => SESSION.test(name));
  const named = sessions.length === 1 ? sessions.map((name) => `cookie:${name}`) : [];
  const entries = [...named, ...(named.length > 0 && hasAuthorization ? ['authorization'] : [])];
  const share = 'Only clients with the same credentials share a poll.';
  const hint = `Where "comet-proxy check --probe -H 'Cookie: …'" finds it the same for all: "vary": []`;
  return [
    { comment: why },
    ...(kind === 'personal' ? [] : [{ comment: hint }]),
    {
      comment: share,
      ...(entries.length > 0 ? { line: configLine('vary', entries.map(quoted)) } : {}),
    },
  ];
}

/** What a person would have written into the page. */
export function roundInterval(ms: number): number {
  for (const unit of [60_000, 30_000, 10_000, 5_000, 1_000, 500, 100]) {
    const round = Math.round(ms / unit) * unit;
    if (round > 0 && Math.abs(round - ms) <= ROUND * Math.min(ms, unit * 4)) return round;
  }
  return Math.max(1, ms < 1_000 ? Math.round(ms / 10) * 10 : Math.round(ms / 100) * 100);
}

/** SECURITY: nothing of the traffic ends a text or a line, or is read as a variable. */
function quoted(text: string): string {
  return escaped(JSON.stringify(text));
}

function escaped(json: string): string {
  return json
    .replaceAll('${', () => '$${')
    .replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function sentence(text: string): string {
  return text === ''
    ? 'Nothing is known of credentials.'
    : `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}

function rate(perSecond: number): string {
  return String(Number(perSecond.toPrecision(2)));
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Comments and keys, with commas between the keys. */
function separated(lines: readonly Line[]): string[] {
  const last = lines.findLastIndex(({ line }) => line !== undefined);
  return lines.flatMap(({ comment, line }, i) => [
    ...(comment === undefined ? [] : [`// ${comment}`]),
    ...(line === undefined ? [] : [i < last ? `${line},` : line]),
  ]);
}

/** Entries one after the other, with commas between them. */
function joined(entries: readonly (readonly string[])[]): string[] {
  return entries.flatMap((lines, i) =>
    i < entries.length - 1 ? [...lines.slice(0, -1), `${lines.at(-1)},`] : lines,
  );
}
