import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Channel } from '../../src/channel/channel.ts';
import { carriesState, controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import type { RecordingSink } from './recording-sink.ts';
import { subscribe } from './recording-sink.ts';

/** What can happen to a channel, and to another one that goes along with it now and then. */
type Step =
  | { readonly kind: 'publish'; readonly size: number }
  | { readonly kind: 'stale' | 'fresh' | 'rest' | 'confirm' | 'shorten' | 'end' }
  | { readonly kind: 'attach' | 'detach' }
  | { readonly kind: 'subscribe'; readonly cursors: readonly number[] };

const simple = fc.constantFrom('stale', 'fresh', 'rest', 'confirm', 'shorten');
const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('publish'), size: fc.nat(40) }) },
  { weight: 4, arbitrary: fc.record({ kind: simple }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('attach', 'detach') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('subscribe'),
      cursors: fc.array(fc.nat(12), { maxLength: 3 }),
    }),
  },
);
const LIMITS = fc.record({ maxEvents: fc.nat(5), maxBytes: fc.nat(120) });
const ENDING: fc.Arbitrary<readonly Step[]> = fc.constantFrom<(readonly Step[])[]>(
  [],
  [{ kind: 'end' }],
);

interface Peer {
  readonly cursors: readonly string[];
  readonly atOriginal: RecordingSink;
  readonly atReplica: RecordingSink;
}

interface Limits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** A channel, another one that is fed by its image and then by what happens to it, and who listens. */
class Model {
  readonly original: Channel;
  readonly replica: Channel;
  readonly peers: Peer[] = [];
  #published = 0;
  #stop: () => void = () => undefined;

  constructor(original: Limits, replica: Limits) {
    this.original = new Channel('c', original);
    this.replica = new Channel('c', replica);
  }

  run(step: Step): void {
    const { original } = this;
    switch (step.kind) {
      case 'publish':
        this.#published += 1;
        return original.apply(snapshot(`a-${this.#published}`, 'x'.repeat(step.size)));
      case 'stale':
      case 'fresh':
        // A feed says each of them once, and "fresh" only where there is a state.
        if (original.isStale === (step.kind === 'stale')) return;
        if (step.kind === 'fresh' && !original.snapshot) return;
        return original.apply(controlEvent(step.kind, original.snapshot?.id, {}));
      case 'rest':
        // Whoever lets a stale channel rest says anew that it is stale.
        if (original.retained && !original.isStale) original.rest();
        return;
      case 'confirm':
        return original.confirm();
      case 'shorten':
        return original.shortenLog();
      case 'end':
        return original.apply(controlEvent('gone', undefined, { status: 404 }));
      case 'attach':
        this.#stop();
        this.replica.adopt(original.image);
        this.#stop = original.replicate(this.replica);
        return;
      case 'detach':
        return this.#stop();
      case 'subscribe': {
        const cursors = step.cursors.map((seq) => `a-${seq}`);
        const atOriginal = subscribe(original, ...cursors).sink;
        const atReplica = subscribe(this.replica, ...cursors).sink;
        this.peers.push({ cursors, atOriginal, atReplica });
      }
    }
  }
}

/** What a client has in the end; it began with these cursors. */
function final({ events, endedCount }: RecordingSink, { original }: Model, cursors: string[]) {
  const last = events.filter(carriesState).at(-1);
  const word = events.filter(({ type }) => type === 'stale' || type === 'fresh').at(-1);
  const current = original.snapshot?.id;
  const own = cursors.find((id) => id === current);
  return {
    state: endedCount > 0 ? 'ended' : (last?.id ?? own),
    isStale: endedCount === 0 && word?.type === 'stale',
    endedCount,
  };
}

test('whenever a replica joins, in the end it has shown its subscribers the state of the original', () => {
  const steps = fc.array(STEP, { maxLength: 40 });
  fc.assert(
    fc.property(LIMITS, LIMITS, steps, ENDING, (limits, others, before, ending) => {
      const model = new Model(limits, others);
      for (const step of before) model.run(step);
      model.run({ kind: 'attach' });
      model.run({ kind: 'confirm' });
      for (const step of ending) model.run(step);
      const { original, replica, peers } = model;
      assert.equal(replica.snapshot, original.snapshot);
      assert.equal(replica.retained, original.retained);
      // That polls work again is not said of what was not confirmed when it was adopted.
      replica.adopt(original.image);
      assert.equal(replica.isStale, original.isStale);
      assert.ok(replica.eventsInLog <= others.maxEvents && replica.logBytes <= others.maxBytes);
      for (const { cursors, atOriginal, atReplica } of peers) {
        const expected = final(atOriginal, model, [...cursors]);
        assert.deepEqual(final(atReplica, model, [...cursors]), expected);
        const ids = atReplica.events.filter(carriesState).map(({ id }) => Number(id?.slice(2)));
        for (const [i, id] of ids.entries()) {
          assert.ok(i === 0 || id > (ids[i - 1] ?? 0), `told ${ids}`);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
