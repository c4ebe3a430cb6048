import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Channel } from '../../src/channel/channel.ts';
import type { Subscriber } from '../../src/channel/subscriber.ts';
import { carriesState, controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { RecordingSink } from './recording-sink.ts';

/** What can happen to a channel; `who` picks one of its subscribers. */
type Step =
  | { readonly kind: 'publish'; readonly size: number }
  | { readonly kind: 'stale' | 'fresh' | 'restAndConfirm' }
  | { readonly kind: 'fill' | 'stall' | 'drain' | 'leave'; readonly who: number }
  | { readonly kind: 'subscribe'; readonly cursors: readonly number[] };

const who = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish'), size: fc.nat(40) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('stale', 'fresh', 'restAndConfirm') }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constantFrom('fill', 'stall', 'drain', 'leave'), who }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('subscribe'),
      cursors: fc.array(fc.nat(12), { maxLength: 3 }),
    }),
  },
);

interface Peer {
  readonly sink: RecordingSink;
  readonly subscriber: Subscriber;
  readonly cursors: readonly string[];
}

/** A channel, what is true of it, and who listens. */
class Model {
  readonly channel = new Channel('c', { maxEvents: 4, maxBytes: 100 });
  readonly peers: Peer[] = [];
  isStale = false;
  #published = 0;

  run(what: Step): void {
    const peer = 'who' in what ? this.peers[what.who % this.peers.length] : undefined;
    switch (what.kind) {
      case 'publish':
        this.#published += 1;
        return this.channel.apply(snapshot(`a-${this.#published}`, 'x'.repeat(what.size)));
      case 'stale':
      case 'fresh':
        // A feed tells each of them once, and "fresh" only where there is a state.
        if (this.isStale === (what.kind === 'stale')) return;
        if (what.kind === 'fresh' && !this.channel.snapshot) return;
        this.isStale = what.kind === 'stale';
        return this.channel.apply(controlEvent(what.kind, this.channel.snapshot?.id, {}));
      case 'restAndConfirm':
        if (this.peers.length > 0) return;
        this.isStale = false;
        this.channel.rest();
        return this.channel.confirm();
      case 'subscribe': {
        const sink = new RecordingSink();
        const cursors = what.cursors.map((seq) => `a-${seq}`);
        this.peers.push({ sink, subscriber: this.channel.subscribe(sink, cursors), cursors });
        return;
      }
      case 'fill':
        return peer?.sink.fill();
      case 'stall':
        if (peer) peer.sink.isWritable = false;
        return;
      case 'drain':
        return peer?.sink.drain(peer.subscriber);
      case 'leave':
        if (!peer) return;
        this.channel.unsubscribe(peer.subscriber);
        this.peers.splice(this.peers.indexOf(peer), 1);
    }
  }

  /** Let everybody read everything. */
  drainAll(): void {
    for (const { sink, subscriber } of this.peers) {
      for (let i = 0; i < 3; i++) sink.drain(subscriber);
    }
  }
}

function check({ channel, peers, isStale }: Model): void {
  for (const { sink, cursors } of peers) {
    const states = sink.events.filter(carriesState);
    const ids = states.map(({ id }) => Number(id?.split('-')[1]));
    for (const [i, id] of ids.entries()) assert.ok(i === 0 || id > (ids[i - 1] ?? 0), `${ids}`);

    const last = states.at(-1);
    if (last) assert.equal(last, channel.snapshot, 'the last state received is the newest');
    else if (channel.snapshot) assert.ok(cursors.includes(channel.snapshot.id ?? ''));

    const told = sink.events.filter(({ type }) => type === 'stale' || type === 'fresh');
    for (const [i, { type }] of told.entries()) {
      assert.equal(type, i % 2 === 0 ? 'stale' : 'fresh', 'told in turns, stale first');
    }
    assert.equal(told.at(-1)?.type === 'stale', isStale, 'knows whether it is stale');
  }
}

test('whatever happens, who has drained has the newest state, once and in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      for (const what of steps) model.run(what);
      model.drainAll();
      check(model);
    }),
    { numRuns: 1_000 },
  );
});
