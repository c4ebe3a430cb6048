import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Balancer, memberId } from '../../src/passthrough/balancer.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const MEMBERS = ['http://a.example/', 'http://b.example/', 'http://c.example/'].map((url) => ({
  id: memberId(new URL(url)),
  url,
}));
const [first, second, third] = MEMBERS as [Member, Member, Member];
type Member = (typeof MEMBERS)[number];
const CLIENTS = Array.from({ length: 300 }, (_, i) => `192.0.2.${i}`);

function create(members: readonly Member[] = MEMBERS) {
  const clock = createFakeClock();
  return { clock, balancer: new Balancer(members, clock) };
}

test('the same client has the same order of servers, wherever it is asked', () => {
  const [one, other] = [create().balancer, create(MEMBERS.toReversed()).balancer];
  for (const client of CLIENTS) {
    assert.deepEqual(one.order(client), one.order(client));
    assert.deepEqual(one.order(client), other.order(client));
    assert.equal(new Set(one.order(client)).size, MEMBERS.length);
  }
});

test('clients spread over all servers', () => {
  const { balancer } = create();
  for (const member of MEMBERS) {
    const share = CLIENTS.filter((client) => balancer.order(client)[0] === member).length;
    assert.ok(share > CLIENTS.length / 6 && share < CLIENTS.length / 2, `${share} of 300`);
  }
});

test('when a server goes, only its own clients move, and they spread over the others', () => {
  const all = create().balancer;
  const less = create([first, second]).balancer;
  const moved = new Set<Member | undefined>();
  for (const client of CLIENTS) {
    const before = all.order(client)[0];
    const after = less.order(client)[0];
    if (before === third) moved.add(after);
    else assert.equal(after, before);
  }
  assert.deepEqual(moved, new Set([first, second]));
});

test('who has been with a server stays with it, whatever its address says', () => {
  const { balancer } = create();
  for (const client of CLIENTS) {
    for (const member of MEMBERS) assert.equal(balancer.order(client, member)[0], member);
  }
});

test('a server that could not be reached is tried last, also by its own clients, for a while', async () => {
  const { balancer, clock } = create();
  balancer.markOut(first);
  for (const client of CLIENTS) {
    assert.equal(balancer.order(client).at(-1), first);
    assert.equal(balancer.order(client, first).at(-1), first);
  }
  await clock.advance(60_000);
  for (const client of CLIENTS) assert.equal(balancer.order(client, first)[0], first);
});

test('a server that answers is in at once', () => {
  const { balancer } = create();
  balancer.markOut(first);
  balancer.markIn(first);
  assert.equal(balancer.order('x', first)[0], first);
});

test('servers that are out are tried nevertheless when there is no other', () => {
  const { balancer } = create();
  for (const member of MEMBERS) balancer.markOut(member);
  assert.equal(balancer.order('x', second)[0], second);
  assert.equal(balancer.order('x').length, MEMBERS.length);
  const alone = create([first]).balancer;
  alone.markOut(first);
  assert.deepEqual(alone.order('x'), [first]);
});

test('a server is found by its id, and by nothing else', () => {
  const { balancer } = create();
  assert.equal(balancer.find(second.id), second);
  for (const id of [undefined, '', 'http://a.example/', `${second.id}x`, '__proto__']) {
    assert.equal(balancer.find(id), undefined);
  }
});

test('ids differ, fit into a cookie, and do not hold the address', () => {
  assert.equal(new Set(MEMBERS.map(({ id }) => id)).size, MEMBERS.length);
  for (const { id } of MEMBERS) assert.match(id, /^[\w-]{8,}$/);
});
