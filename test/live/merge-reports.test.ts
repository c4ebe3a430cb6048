import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EdgeReport } from '../../src/live/hub-messages.ts';
import { mergeExplanations, mergeSubscribers, mergeTraffic } from '../../src/live/merge-reports.ts';
import type { DiscoveryReport } from '../../src/shared/discovery-report.ts';
import type { Explanation, InjectReport, ShadowReport } from '../../src/shared/explanation.ts';

const EXPLANATION: Explanation = { url: '/x', route: 'live', pattern: '/x', why: 'it is listed' };

/** What an edge says of a request. */
function explained(more: Partial<Explanation> = {}): EdgeReport {
  return { explanation: { ...EXPLANATION, ...more } };
}

function injected(...words: readonly InjectReport['injected'][]): readonly EdgeReport[] {
  return words.map((word, index) =>
    explained({ inject: { injected: word, reason: `of edge ${index}` } }),
  );
}

function shadow(requests: number, incomparable: Record<string, number>): ShadowReport {
  return { requests, saved: 2, matched: 3, mismatched: 4, incomparable };
}

test('what becomes of a request is the same on every edge: one of them says it', () => {
  assert.deepEqual(mergeExplanations([{}, explained(), explained({ key: 'other' })]), EXPLANATION);
});

test('where no edge has answered nothing is known', () => {
  for (const none of [[], [{}], [{ subscribers: {} }, {}]]) {
    assert.equal(mergeExplanations(none), undefined);
    assert.equal(mergeTraffic(none), undefined);
    assert.deepEqual(mergeSubscribers(none), {});
  }
});

test('of a page that was sent an edge knows that has sent it', () => {
  for (const [words, reason] of [
    [['unknown', 'yes', 'unknown'], 'of edge 1'],
    [['unknown', 'no'], 'of edge 1'],
    [['yes', 'no'], 'of edge 0'],
    [['unknown', 'unknown'], 'of edge 0'],
  ] as const) {
    assert.equal(mergeExplanations(injected(...words))?.inject?.reason, reason);
  }
  const late = mergeExplanations([explained(), ...injected('yes')]);
  assert.equal(late?.inject?.injected, 'yes');
  const without = mergeExplanations([explained(), explained()]);
  assert.ok(without && !('inject' in without) && !('shadow' in without));
});

test('requests that were tried are those of all edges together, by the reason', () => {
  const merged = mergeExplanations([
    explained({ shadow: shadow(10, { type: 1, gone: 2 }) }),
    explained(),
    explained({ shadow: shadow(20, { gone: 5, late: 1 }) }),
  ]);
  assert.deepEqual(merged?.shadow, {
    requests: 30,
    saved: 4,
    matched: 6,
    mismatched: 8,
    incomparable: { type: 1, gone: 7, late: 1 },
  });
});

test('subscribers are those of all edges together, by key and by transport', () => {
  const reports = [
    { subscribers: { abc: { sse: 2, ws: 1 }, only: { poll: 1 } } },
    {},
    { subscribers: { abc: { sse: 3, stream: 4 }, none: {} } },
  ];
  assert.deepEqual(mergeSubscribers(reports), {
    abc: { sse: 5, ws: 1, stream: 4 },
    only: { poll: 1 },
    none: {},
  });
});

test('reports that are merged are not changed', () => {
  const reports = [{ subscribers: { abc: { sse: 2 } } }, { subscribers: { abc: { sse: 3 } } }];
  mergeSubscribers(reports);
  mergeExplanations([
    explained({ shadow: shadow(1, { late: 1 }) }),
    explained({ shadow: shadow(2, { late: 2 }) }),
  ]);
  assert.deepEqual(reports, [
    { subscribers: { abc: { sse: 2 } } },
    { subscribers: { abc: { sse: 3 } } },
  ]);
});

function traffic(requests: number, notes: readonly string[] = []): DiscoveryReport {
  const looked = { requests, clients: 1, spanMs: 1_000, unreadable: 0 };
  return { looked, found: [], notes };
}

test('of the traffic the edge speaks that has seen the most, and says how many there are', () => {
  const most = traffic(30, ['a note of its own']);
  const merged = mergeTraffic([
    { traffic: traffic(10) },
    {},
    { traffic: most },
    { traffic: traffic(29) },
  ]);
  assert.deepEqual(merged?.looked, most.looked);
  assert.equal(merged?.notes[0], 'a note of its own');
  assert.match(merged?.notes[1] ?? '', /one of 3 workers/);
  assert.deepEqual(most.notes, ['a note of its own']);
});

test('of one edge alone nothing is added', () => {
  const report = traffic(10);
  assert.equal(mergeTraffic([{ traffic: report }, {}]), report);
});
