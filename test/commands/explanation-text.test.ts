import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { explanationText } from '../../src/commands/explanation-text.ts';
import type { ChannelReport, Explanation } from '../../src/shared/explanation.ts';

const CHANNEL: ChannelReport = {
  openedAgoMs: 754_000,
  intervalMs: 4_500,
  lastPoll: { agoMs: 1_200, outcome: 'unchanged', status: 304, tookMs: 12 },
  nextPollInMs: 3_290,
  lastChangeAgoMs: 125_000,
  failures: 0,
  isStale: false,
  bytes: 4_301,
  eventsInLog: 34,
  subscribers: { sse: 2, ws: 1, poll: 0 },
};
const LIVE: Explanation = {
  url: '/api/orders/7',
  route: 'live',
  pattern: '/api/orders/:id',
  why: 'matches "/api/orders/:id"',
  endpoint: { every: '1s..30s, by how often it changes', vary: 'cookie:SESSION' },
  sharing: {
    kind: 'private',
    reason: "polls carry a client's cookie:SESSION, and only clients with the same share them",
  },
  key: 'q1Zx0aB3kLm9',
  channel: CHANNEL,
  channelsOfEndpoint: 5,
  siblings: [{ key: 'h2KdPq77_x0-', subscribers: 4, differsIn: ['cookie'] }],
};

/** The verdict: what a person should do next. */
function verdict(explanation: Explanation): string {
  const [, text = ''] = explanationText(explanation).split(/^verdict +/m);
  return text;
}
const withChannel = (changes: Partial<ChannelReport>) =>
  verdict({ ...LIVE, channel: { ...CHANNEL, ...changes } });
const { channel: _, ...CLOSED } = LIVE;

test('an explanation is aligned text: route, settings, sharing, channel, others, verdict', () => {
  assert.equal(
    explanationText(LIVE),
    `/api/orders/7
route     live: matches "/api/orders/:id"
endpoint  every  1s..30s, by how often it changes
          vary   cookie:SESSION
sharing   private: polls carry a client's cookie:SESSION, and only clients with the same share them
channel   q1Zx0aB3kLm9 open for 12m 34s
          subscribers  2 by sse, 1 by ws
          interval     4.5s
          last poll    1.2s ago, took 12ms, unchanged (304)
          last change  2m 5s ago
          next poll    in 3.3s
          state        as the last poll found it; 34 events and 4.2 KiB held
others    5 channels of this endpoint open in all
          h2KdPq77_x0-  this URL, 4 subscribers, differs in cookie
verdict   all is well: nothing has changed for 2m 5s, so there is nothing to push`,
  );
});

test('the documentation shows what is printed', () => {
  const file = new URL('../../docs/operations.md', import.meta.url);
  assert.ok(readFileSync(file, 'utf8').includes(explanationText(LIVE)));
});

test('of a URL that is not live the route says all', () => {
  const told = { url: '/x', route: 'site', why: 'matches no pattern of "live"' } as const;
  assert.equal(explanationText(told), '/x\nroute  site: matches no pattern of "live"');
});

test('of a page it says whether it got the script', () => {
  const told = { url: '/x', route: 'site', why: 'matches no pattern of "live"' } as const;
  const text = (injected: 'yes' | 'no' | 'unknown') =>
    explanationText({ ...told, inject: { injected, reason: 'because' } }).split('\n')[2];
  assert.equal(text('yes'), 'inject  yes: because');
  assert.equal(text('no'), 'inject  no: because');
  assert.equal(text('unknown'), 'inject  not known yet: because');
});

test('the config alone gives no verdict: it knows nothing of now', () => {
  const { url, route, why, endpoint } = LIVE;
  const sharing = { kind: 'public', reason: 'all share', missing: ['host'] } as const;
  const text = explanationText({ url, route, why, ...(endpoint ? { endpoint } : {}), sharing });
  assert.doesNotMatch(text, /verdict|channel|others/);
});

test('a channel that nobody wants: others want the URL with other requests', () => {
  assert.match(explanationText(CLOSED), /^channel +q1Zx0aB3kLm9 is not open$/m);
  assert.equal(
    verdict(CLOSED),
    'nobody wants this URL with this request; others do, with requests that differ in cookie',
  );
});

test('a channel that nobody wants at all', () => {
  assert.match(verdict({ ...CLOSED, siblings: [] }), /^nobody wants this URL now.* no stream/);
});

test('a request that lacks what clients are told apart by is told so first', () => {
  const sharing = {
    kind: 'private',
    reason: 'r',
    missing: ['host', 'cookie', 'x-tenant'],
  } as const;
  const [host, parts] = verdict({ ...CLOSED, sharing }).split('\n');
  assert.match(host ?? '', /^the host is part of the key: name the URL as browsers have it/);
  assert.match(parts ?? '', /the request has no cookie and no x-tenant: .*\(-H\)$/);
});

test('answers that look personal are told with the reason', () => {
  const personal = 'its answers set a cookie ("id")';
  const sharing = { kind: 'public', reason: 'r', personal } as const;
  assert.match(verdict({ ...CLOSED, sharing }), /nobody shares its polls now: its answers set a c/);
});

const VERDICTS: readonly [changes: Partial<ChannelReport>, verdict: RegExp][] = [
  [{ failures: 3, isStale: true }, /^3 polls in a row failed, and subscribers were told/],
  [{ failures: 1 }, /^1 poll in a row failed; look at the site first$/],
  [
    { lastPoll: { agoMs: 1, outcome: 'ended', status: 401, tookMs: 2 } },
    /^it has ended: its streams were closed$/,
  ],
  [{ subscribers: {} }, /^nobody streams it/],
  [{ lastPoll: { agoMs: 1, outcome: 'changed', status: 200, tookMs: 2 } }, /what changed was pus/],
];
for (const [changes, expected] of VERDICTS) {
  test(`the verdict on ${JSON.stringify(changes)}`, () => {
    assert.match(withChannel(changes), expected);
  });
}

test('before the first poll has ended there is nothing to push', () => {
  const { lastPoll: _, lastChangeAgoMs: __, nextPollInMs: ___, ...fresh } = CHANNEL;
  const text = explanationText({ ...LIVE, channel: fresh });
  assert.match(
    text,
    /last poll +none has ended yet\n +last change +none known\n +next poll +none pl/,
  );
  assert.match(text, /verdict +the first poll is under way/);
  const elsewhere = explanationText({ ...LIVE, channel: { ...fresh, polledBy: 'another node' } });
  assert.match(elsewhere, /next poll +another node polls/);
  assert.match(elsewhere, /verdict +all is well/);
});

test('a failing channel shows why, and that its interval is longer', () => {
  const lastPoll = {
    agoMs: 61_000,
    outcome: 'failed',
    tookMs: 10_000,
    detail: 'UPSTREAM_TIMEOUT',
  } as const;
  const channel = { ...CHANNEL, lastPoll, failures: 4, isStale: true, nextPollInMs: -5 };
  const text = explanationText({ ...LIVE, channel });
  assert.match(text, /last poll +1m 1s ago, took 10s, failed: UPSTREAM_TIMEOUT$/m);
  assert.match(text, /interval +4\.5s, longer after 4 failures in a row$/m);
  assert.match(text, /next poll +in 0ms$/m);
  assert.match(text, /state +stale: the site fails; /);
});

test('what a site has put into a text cannot steer the terminal', () => {
  const detail = 'bad \u001b]0;owned\u0007\u001b[2J\r\nanswer\u202e\u009b31m';
  const lastPoll = { agoMs: 1, outcome: 'failed', tookMs: 1, detail } as const;
  const lines = explanationText({ ...LIVE, channel: { ...CHANNEL, lastPoll } }).split('\n');
  assert.equal(lines.length, explanationText(LIVE).split('\n').length);
  for (const line of lines) assert.doesNotMatch(line, /\p{Cc}|\p{Cf}/u);
});

const TRIED = {
  requests: 9,
  saved: 8,
  matched: 5,
  mismatched: 0,
  incomparable: { coding: 2, cut: 1 },
};

test('what trying has shown is told, with the reasons why some of it shows nothing', () => {
  const text = explanationText({ ...LIVE, shadow: TRIED });
  assert.match(
    text,
    new RegExp(
      [
        '^shadow    9 plain requests since the start',
        ' {10}saved           8 would have been answered from the state',
        ' {10}matched         5 of those got what the state was',
        ' {10}mismatched      0 got something else',
        ' {10}not comparable  3: 2 coding, 1 cut$',
      ].join('\n'),
      'm',
    ),
  );
});

const TRIALS: readonly [shadow: Partial<typeof TRIED>, verdict: RegExp][] = [
  [{ requests: 0 }, /^"shadow" has nothing to compare yet: no plain request has come$/m],
  [{ matched: 0 }, /^"shadow" could compare no answer yet$/m],
  [{ matched: 1 }, /^1 answer compared, all as the state: "shadow" can be left out$/m],
  [{ mismatched: 2 }, /^2 of 7 answers were none of the states: find out why/m],
];
for (const [shadow, expected] of TRIALS) {
  test(`the verdict on ${JSON.stringify(shadow)} of what was tried`, () => {
    const told = verdict({ ...LIVE, shadow: { ...TRIED, ...shadow } });
    assert.match(told.replaceAll(/^ +/gm, ''), expected);
  });
}
