import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import { createLivePaths } from '../../src/live/endpoint.ts';
import { Tickets } from '../../src/live/tickets.ts';
import { findWanted } from '../../src/live/wanted.ts';
import type { Downstream } from '../../src/shared/downstream.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const { live } = checkConfig(
  {
    site: 'http://127.0.0.1:3000',
    live: { '/rpc': { every: '1s', method: 'POST', vary: ['x-token'] } },
  },
  'test',
);

function scene() {
  const tickets = new Tickets({
    clock: createFakeClock(),
    secret: new Uint8Array(32),
    identify: ({ content }, { rawHeaders }) => ({
      channel: `${content?.bytes.toString('latin1').slice(-20)} ${rawHeaders}`,
      forwarded: new Map([['x-token', [rawHeaders[1] ?? '']]]),
    }),
  });
  const client = (token = '') => ({
    downstream: { address: '192.0.2.1' } as Downstream,
    rawHeaders: ['x-token', token],
  });
  const issue = (body: string, token = '') => {
    const content = { type: 'text/plain', bytes: Buffer.from(body) };
    const inquiry = { method: 'POST', target: '/rpc', content };
    const wanted = findWanted(createLivePaths(live)[0]?.endpoints ?? [], inquiry);
    assert.ok(wanted);
    return tickets.issue(wanted, client(token));
  };
  return { tickets, issue, client };
}

test('a ticket stands for the body and the headers of its request', () => {
  const { tickets, issue, client } = scene();
  const admitted = tickets.redeem(issue('x=1', 'abc'), client('other'));
  assert.equal(admitted?.wanted.content?.bytes.toString(), 'x=1');
  assert.deepEqual(admitted?.client.rawHeaders, ['x-token', 'abc']);
});

test('what clients choose cannot fill the memory: the oldest tickets go', () => {
  const { tickets, issue, client } = scene();
  const large = 'x'.repeat(60 * 1_024);
  const all = Array.from({ length: 1_000 }, (_, i) => issue(`${large}=${i}`));
  const valid = all.filter((ticket) => tickets.redeem(ticket, client()));
  assert.ok(valid.length > 100 && valid.length < 600, `${valid.length} of 60 KiB each`);
  assert.equal(valid.at(-1), all.at(-1));
});
