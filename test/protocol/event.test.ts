import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventType } from '../../src/protocol/event.ts';
import { carriesState, controlEvent, isLastWord } from '../../src/protocol/event.ts';
import { snapshot } from './events.ts';

test('a control event carries its data as JSON', () => {
  const event = controlEvent('stale', 'a-1', { code: 'UPSTREAM_STATUS', status: 503 });
  assert.equal(event.type, 'stale');
  assert.equal(event.id, 'a-1');
  assert.equal(event.encoding, 'utf8');
  assert.deepEqual(event.headers, { 'content-type': 'application/json' });
  const data: unknown = JSON.parse(Buffer.from(event.data).toString());
  assert.deepEqual(data, { code: 'UPSTREAM_STATUS', status: 503 });
});

test('a control event of a channel without state has no id at all', () => {
  assert.ok(!('id' in controlEvent('gone', undefined, {})));
});

test('each type of event either carries state, or ends the channel, or does neither', () => {
  const types: [EventType, boolean, boolean][] = [
    ['snapshot', true, false],
    ['patch', true, false],
    ['stale', false, false],
    ['fresh', false, false],
    ['unauthorized', false, true],
    ['gone', false, true],
  ];
  for (const [type, state, last] of types) {
    const event = { ...snapshot('a-1'), type };
    assert.equal(carriesState(event), state, type);
    assert.equal(isLastWord(event), last, type);
  }
});
