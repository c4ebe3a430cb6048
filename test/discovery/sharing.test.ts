import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Seen } from '../../src/discovery/seen.ts';
import type { PolledSharing } from '../../src/shared/discovery-report.ts';
import { discoverIn, headers } from './scenes.ts';

const SESSION = headers({ cookies: ['theme', 'SESSIONID'] });

/** Three clients that ask for one thing. */
function shared(request: (client: number, i: number) => Partial<Seen>): {
  readonly sharing: PolledSharing | undefined;
  readonly config: string;
} {
  const timers = [0, 1, 2].map((client) => ({
    everyMs: 4_000,
    times: 30,
    client: `client ${client}`,
    startMs: client * 700,
    target: '/state',
    request: (i: number) => request(client, i),
  }));
  const { found, config = '' } = discoverIn(...timers);
  return { sharing: found[0]?.sharing, config };
}

test('what nobody needs credentials for is public: one poll for everybody', () => {
  const { sharing, config } = shared(() => ({}));
  assert.equal(sharing?.kind, 'public');
  assert.match(config, /"vary": \[\]/);
  assert.doesNotMatch(config, /cacheControl/);
});

test('public answers that may not be stored are shared only by saying so', () => {
  const { config } = shared(() => ({ headers: headers({ cacheControl: 'no-store' }) }));
  assert.match(config, /"vary": \[\],[^{}]*"cacheControl": "ignore"/);
});

test('clients with a session that get other answers at the same time are told apart by it', () => {
  const { sharing, config } = shared((client, i) => ({
    headers: SESSION,
    content: `${client} ${i >> 3}`,
  }));
  assert.equal(sharing?.kind, 'personal');
  assert.match(config, /"vary": \["cookie:SESSIONID"\]/);
  assert.doesNotMatch(config, /"vary": \[\]/);
});

test('clients with a session that get the same are told, and stay apart until somebody has checked', () => {
  const { sharing, config } = shared((_, i) => ({ headers: SESSION, content: `state ${i >> 3}` }));
  assert.equal(sharing?.kind, 'alike');
  assert.match(config, /check --probe/);
  assert.match(config, /^ +"vary": \["cookie:SESSIONID"\]$/m);
});

for (const [said, other] of [
  ['sets a cookie', { setsCookie: true }],
  ['is private', { cacheControl: 'private' }],
  ['varies on cookies', { variesOnCredentials: true }],
] as const) {
  test(`an answer that ${said} is personal, however alike it looks`, () => {
    const { sharing } = shared(() => ({
      headers: { ...headers({ cookies: ['SID'] }), ...other } as Seen['headers'],
    }));
    assert.equal(sharing?.kind, 'personal');
  });
}

test('a state that changes at every poll says nothing about who gets it', () => {
  const { sharing, config } = shared((client, i) => ({
    headers: SESSION,
    content: `${client} ${i}`,
  }));
  assert.equal(sharing?.kind, 'unknown');
  assert.doesNotMatch(config, /^ +"vary": \[\]/m);
});

test('a recording without any credentials may have lost them: nothing is public by that', () => {
  const bare = headers({ mayLackCredentials: true });
  assert.equal(shared(() => ({ headers: bare })).sharing?.kind, 'alike');
  const { found } = discoverIn(
    { everyMs: 4_000, target: '/open', request: { headers: bare } },
    {
      everyMs: 4_000,
      target: '/own',
      request: { headers: headers({ cookies: ['SID'], mayLackCredentials: true }) },
    },
  );
  const kinds = Object.fromEntries(found.map(({ path, sharing }) => [path, sharing.kind]));
  assert.deepEqual(
    kinds,
    { '/open': 'public', '/own': 'unknown' },
    'credentials elsewhere: none were removed',
  );
});

test('several cookies that may be the session leave the choice to a person', () => {
  const both = headers({ cookies: ['sid', 'auth_token'] });
  const { config } = shared((client, i) => ({ headers: both, content: `${client} ${i >> 3}` }));
  assert.doesNotMatch(config, /"vary": \[/);
});
