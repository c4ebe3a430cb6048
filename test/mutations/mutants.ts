/** A change of the source that must not go unnoticed. */
export interface Mutant {
  /** What is missing then. */
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
  /** Tests that may notice it besides the first one. */
  readonly also?: readonly string[];
}

const KEY = 'src/live/channel-key.ts';
const TUPLE = 'JSON.stringify([kind, endpoint, target, body ?? null, [...forwarded]])';
const KEYED = 'test/live/identify.test.ts';
const LEAK = 'test/security/shared-poll-leak.test.ts';
const CHANNEL = ['test/channel/resting.test.ts', 'test/channel/channel.test.ts'];

/** Everything that keeps one client's state from another. */
export const MUTANTS: readonly Mutant[] = [
  tuple('the endpoint', '[kind, target, body ?? null, [...forwarded]]'),
  tuple('state or session', '[endpoint, target, body ?? null, [...forwarded]]'),
  tuple('the URL', '[kind, endpoint, body ?? null, [...forwarded]]'),
  tuple('the query', "[kind, endpoint, target.split('?')[0], body ?? null, [...forwarded]]"),
  tuple('the body of a poll', '[kind, endpoint, target, body?.[0], [...forwarded]]'),
  tuple('the type of the body', '[kind, endpoint, target, body?.[1], [...forwarded]]'),
  tuple('where the type ends', "[kind, endpoint, target, body?.join(''), [...forwarded]]"),
  ...['host', 'x-forwarded-proto', 'cookie', 'authorization', 'x-forwarded-for', 'x-tenant'].map(
    (header) => {
      const rest = `[...forwarded].filter(([name]) => name !== '${header}')`;
      return tuple(`what is sent as ${header}`, `[kind, endpoint, target, body ?? null, ${rest}]`);
    },
  ),
  tuple(
    'what a pattern of headers takes',
    "[kind, endpoint, target, body ?? null, [...forwarded].filter(([name]) => !name.startsWith('x-csrf'))]",
  ),
  tuple('the names of headers', '[kind, endpoint, target, body ?? null, [...forwarded.values()]]'),
  tuple(
    'the number of lines',
    '[kind, endpoint, target, body ?? null, [...forwarded].map(String)]',
  ),
  tuple(
    'empty values',
    '[kind, endpoint, target, body ?? null, [...forwarded].filter(([, [value]]) => value)]',
  ),
  tuple(
    'where a value ends',
    "[kind, endpoint, target, body ?? null, [...forwarded.values()].map((values) => values.join('')).join('')]",
  ),
  tuple(
    'the order of values',
    '[kind, endpoint, target, body ?? null, [...forwarded].map(([name, values]) => [name, [...values].sort()])]',
  ),
  tuple(
    'names that objects have',
    '[kind, endpoint, target, body ?? null, [...forwarded].reduce((all, [n, v]) => ((all[n] = v), all), {})]',
  ),
  {
    name: 'letter case in the key',
    file: KEY,
    from: '.update(tuple)',
    to: '.update(tuple.toLowerCase())',
  },
  {
    name: 'the end of a long key',
    file: KEY,
    from: '.update(tuple)',
    to: '.update(tuple.slice(0, 2_000))',
  },
  {
    name: 'bytes above 7F in the key',
    file: KEY,
    from: '.update(tuple)',
    to: ".update(tuple.replace(/[\\x80-\\xff]/g, '?'))",
  },
  {
    name: 'the secret',
    file: KEY,
    from: "createHmac('sha256', secret)",
    to: "createHmac('sha256', '')",
    also: [KEYED],
  },
  {
    name: 'forwarded equals keyed: all cookies',
    file: KEY,
    from: 'return { channel, forwarded };',
    to: "return { channel, forwarded: new Map([...forwarded, ['cookie', headerValues(rawHeaders, 'cookie')]]) };",
  },
  {
    name: 'forwarded equals keyed: the address',
    file: KEY,
    from: 'return { channel, forwarded };',
    to: "return { channel, forwarded: new Map([...forwarded, ['x-forwarded-for', [downstream.address]]]) };",
  },
  {
    name: 'lines of a header but the first',
    file: KEY,
    from: 'headerValues(rawHeaders, item.name)',
    to: 'headerValues(rawHeaders, item.name).slice(0, 1)',
  },
  {
    name: 'the address that trusted proxies vouch for',
    file: KEY,
    from: '[downstream.address]',
    to: '[downstream.peer]',
  },
  {
    name: 'named cookies but the first',
    file: KEY,
    from: "[pairs.join('; ')]",
    to: 'pairs.slice(0, 1)',
  },
  {
    name: 'letter case of cookie names',
    file: KEY,
    from: "names.has(trimBlanks(pair.split('=', 1)[0] ?? ''))",
    to: "[...names].some((name) => name.toLowerCase() === pair.split('=', 1)[0]?.toLowerCase())",
  },
  {
    name: 'the white space of HTTP alone',
    file: KEY,
    from: '.map(trimBlanks)',
    to: '.map((pair) => pair.trim())',
  },
  {
    name: 'parameters that "query:NAME" keeps',
    file: KEY,
    from: 'isIgnored(parameterName(parameter), ignored, kept)',
    to: 'isIgnored(parameterName(parameter), ignored, [])',
  },
  {
    name: 'the order of parameters',
    file: KEY,
    from: "left.join('&')",
    to: "left.sort().join('&')",
  },
  {
    name: 'headers of a pattern but the first',
    file: 'src/live/matching-headers.ts',
    from: 'return [...names].sort()',
    to: 'return [...names].sort().slice(0, 1)',
  },
  {
    name: 'lines of a header of a pattern but the first',
    file: 'src/live/matching-headers.ts',
    from: '[name, headerValues(rawHeaders, name)]',
    to: '[name, headerValues(rawHeaders, name).slice(0, 1)]',
  },
  {
    name: 'headers that no pattern may take',
    file: 'src/live/matching-headers.ts',
    from: 'matchesGlob(pattern, name) && isKeyable(name, OWN_HEADERS)',
    to: 'matchesGlob(pattern, name)',
    also: ['test/live/matching-headers.test.ts'],
  },
  {
    name: 'which headers are keyed, for Vary',
    file: 'src/live/keyed-headers.ts',
    from: 'return vary.some((item) => {',
    to: "if (name !== '*') return true;\n  return vary.some((item) => {",
    also: ['test/security/unkeyed-vary.test.ts', 'test/live/plain-answer.test.ts'],
  },
  {
    name: 'what the endpoint varies on',
    file: 'src/live/feeds.ts',
    from: 'content, vary, ...client',
    to: 'content, vary: [], ...client',
  },
  {
    name: 'lines that a poll carries but the first',
    file: 'src/live/poll-headers.ts',
    from: 'for (const [name, values] of forwarded) fields.set(name, values);',
    to: 'for (const [name, values] of forwarded) fields.set(name, values.slice(0, 1));',
  },
  {
    name: 'the host that a poll carries',
    file: 'src/live/poll-headers.ts',
    from: "fields.set('x-forwarded-host', clientHost);",
    to: "fields.delete('host');",
  },
  {
    name: "the client's wins over the config's header",
    file: 'src/live/poll-headers.ts',
    from: 'for (const [name, values] of forwarded) fields.set(name, values);',
    to: 'for (const [name, values] of forwarded) if (!fields.has(name)) fields.set(name, values);',
    also: ['test/security/unkeyed-headers-poison.test.ts'],
  },
  {
    name: 'a token for each channel',
    file: 'src/live/handshake.ts',
    from: 'export function withHandshake(fetch: Fetch, { status, header }: Handshake): Fetch {\n  let token: string | undefined;',
    to: 'let token: string | undefined;\nexport function withHandshake(fetch: Fetch, { status, header }: Handshake): Fetch {',
  },
  {
    name: 'a view for each session',
    file: 'src/live/feeds.ts',
    from: "'session', [...vary, ...authorizedBy])",
    to: "'session', vary)",
  },
  {
    name: 'asking the site before a session is shown anything: streams',
    file: 'src/live/session-feed.ts',
    from: 'if (this.#letInForMs > 0) this.#mirror();',
    to: 'this.#mirror();',
    also: ['test/flow/sessions.test.ts'],
  },
  {
    name: 'asking the site before a session is shown anything: plain requests',
    file: 'src/live/session-feed.ts',
    from: 'if (this.#isClosed || this.#letInForMs <= 0) return undefined;',
    to: '',
    also: ['test/flow/sessions.test.ts'],
  },
  {
    name: 'a page of HTML lets nobody in',
    file: 'src/live/session-feed.ts',
    from: 'if (isFirst ||',
    to: 'if (true ||',
    also: ['test/security/login-page.test.ts'],
  },
  {
    name: 'the epoch in ids',
    file: 'src/protocol/cursor.ts',
    from: '{epoch}-',
    to: "{'e'}-",
  },
  {
    name: 'an epoch for each lease',
    file: 'src/cluster/memory.ts',
    from: 'epochs += 1;',
    to: '',
  },
  {
    name: 'the look-up of ids: an unknown one is unknown',
    file: 'src/channel/log.ts',
    from: '    return undefined;\n  }\n\n  clear()',
    to: '    return [];\n  }\n\n  clear()',
  },
  {
    name: 'the look-up of ids in the own channel',
    file: 'src/channel/channel.ts',
    from: 'ids.find((id) => this.#log.after(id))',
    to: 'ids[0]',
  },
  {
    name: 'the channel in entity tags',
    file: 'src/live/plain-answer.ts',
    from: '{state.id}"`',
    to: "{state.id?.split('-')[1]}\"`",
  },
  {
    name: 'a state that rests is not shown',
    file: 'src/channel/channel.ts',
    from: 'return this.#isConfirmed ? this.#snapshot : undefined;',
    to: 'return this.#snapshot;',
    also: CHANNEL,
  },
  {
    name: 'purging the state at a last word',
    file: 'src/channel/channel.ts',
    from: 'this.#lastWord = event;\n    this.#snapshot = undefined;',
    to: 'this.#lastWord = event;',
    also: CHANNEL,
  },
  {
    name: 'purging the log at a last word',
    file: 'src/channel/channel.ts',
    from: 'this.#log.clear();',
    to: '',
    also: CHANNEL,
  },
  {
    name: 'purging the backplane at a last word',
    file: 'src/cluster/memory.ts',
    from: 'if (isLastWord(event)) topic.latest = undefined;',
    to: '',
    also: ['test/cluster/memory.test.ts'],
  },
  {
    name: 'the last word for who comes later',
    file: 'src/channel/channel.ts',
    from: 'if (this.#lastWord) return [this.#lastWord];',
    to: '',
    also: CHANNEL,
  },
  {
    name: 'which headers of an answer are shared',
    file: 'src/poll/detect.ts',
    from: "  'vary',\n];",
    to: "  'vary',\n  'set-cookie',\n  'www-authenticate',\n  'clear-site-data',\n];",
    also: ['test/security/leader-cookies-replayed.test.ts'],
  },
  ...[
    ['cookies that answers set', "policy.setCookie === 'end'"],
    ['Vary of answers', 'unkeyed !== undefined'],
  ].map(([name = '', from = '']) => ({
    name,
    file: 'src/poll/personal.ts',
    from,
    to: 'false',
    also: [LEAK, 'test/security/unkeyed-vary.test.ts'],
  })),
  {
    name: 'Cache-Control of answers',
    file: 'src/poll/personal.ts',
    from: "if (!policy.isPublic || policy.cacheControl === 'ignore') return undefined;",
    to: 'return undefined;',
    also: ['test/security/unkeyed-vary.test.ts'],
  },
];

/** The channel's name is made of something else. */
function tuple(name: string, to: string): Mutant {
  return { name, file: KEY, from: TUPLE, to: `JSON.stringify(${to})`, also: [KEYED] };
}
