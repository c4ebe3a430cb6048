import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkConfig } from '../../src/config/load.ts';
import { createLivePaths } from '../../src/live/endpoint.ts';
import { HubEdge } from '../../src/live/hub-edge.ts';
import type { LiveFeed } from '../../src/live/live-feed.ts';
import { Mirrors } from '../../src/live/mirrors.ts';
import { staleId } from '../../src/protocol/cursor.ts';
import { carriesState, controlEvent } from '../../src/protocol/event.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { createStores } from '../../src/stores.ts';
import type { RecordingSink } from '../channel/recording-sink.ts';
import { subscribe } from '../channel/recording-sink.ts';
import { snapshot } from '../protocol/events.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { CLIENT, ScriptedFeed } from './hub-edge-scene.ts';

/** What can happen to a hub, to an edge, and to the connection between them. */
type Step =
  | { readonly kind: 'publish' | 'stale' | 'fresh' | 'rest' | 'confirm' }
  | { readonly kind: 'turn' | 'stall' | 'drain' | 'lose' | 'crash' | 'connect' | 'wait' }
  | { readonly kind: 'leave'; readonly who: number }
  | { readonly kind: 'subscribe'; readonly cursors: readonly string[] };

const polled = fc.constantFrom('publish', 'publish', 'stale', 'fresh', 'rest', 'confirm');
const wire = fc.constantFrom(
  ...(['turn', 'turn', 'stall', 'drain', 'lose', 'crash', 'connect', 'connect', 'wait'] as const),
);
const cursor = fc.constantFrom('a-1', 'a-2', 'a-3', 'a-5', 'b-1', 'b-2', 'c-1');
const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: polled }) },
  { weight: 5, arbitrary: fc.record({ kind: wire }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('subscribe'),
      cursors: fc.array(cursor, { maxLength: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave'), who: fc.nat(5) }) },
);

const config = checkConfig(
  { site: 'http://127.0.0.1:3000', live: { '/x': { every: '1s', vary: [], history: 4 } } },
  'test',
);
const [endpoint] = createLivePaths(config.live).flatMap(({ endpoints }) => endpoints);
assert.ok(endpoint);
const ENDPOINTS = [endpoint];
const WANTED = { endpoint, url: '/x', target: '/x', content: undefined, callerId: undefined };
/** Longer than an edge waits for a hub that is lost. */
const AGES_MS = 60_000;

interface Peer {
  readonly cursors: readonly string[];
  readonly sink: RecordingSink;
  leave(): void;
}

/** A hub and an edge, and what passes between them as it would on a socket. */
class Model {
  readonly clock = createFakeClock();
  readonly peers: Peer[] = [];
  feed = new ScriptedFeed();
  #epoch = 'a';
  #published = 0;
  #edge: HubEdge | undefined;
  #isStalled = false;
  #waiting: (() => void)[] = [];
  readonly #mirrors: Mirrors;

  constructor() {
    const { clock } = this;
    const stores = createStores(config.limits, { clock, log: silentLogger, random: () => 0.5 });
    this.#mirrors = new Mirrors({
      ...stores,
      clock,
      limits: config.limits,
      maxLogBytes: config.limits.logBytes,
      endpoints: ENDPOINTS,
      secret: Buffer.alloc(32),
      send: (head, body = []) => {
        this.#edge?.onMessage(JSON.parse(JSON.stringify(head)), Buffer.concat(body));
      },
    });
    this.#connect();
  }

  async run(step: Step): Promise<void> {
    const { channel } = this.feed;
    switch (step.kind) {
      case 'publish':
        this.#published += 1;
        return channel.apply(snapshot(`${this.#epoch}-${this.#published}`));
      case 'stale':
      case 'fresh':
        if (channel.isStale === (step.kind === 'stale')) return;
        if (step.kind === 'fresh' && !channel.snapshot) return;
        return channel.apply(
          step.kind === 'stale'
            ? controlEvent('stale', staleId(channel.snapshot?.id), {})
            : controlEvent('fresh', channel.snapshot?.id, {}),
        );
      case 'rest':
        if (channel.retained && !channel.isStale) channel.rest();
        return;
      case 'confirm':
        return channel.confirm();
      case 'turn':
        return new Promise((resolve) => setImmediate(resolve));
      case 'stall':
        this.#isStalled = true;
        return;
      case 'drain':
        return this.#drain();
      case 'lose':
        return this.#disconnect();
      case 'crash':
        this.#disconnect();
        this.feed = new ScriptedFeed();
        this.#epoch = String.fromCharCode(this.#epoch.charCodeAt(0) + 1);
        this.#published = 0;
        return;
      case 'connect':
        return this.#connect();
      case 'wait':
        return this.clock.advance(AGES_MS);
      case 'leave':
        this.peers.splice(step.who, 1)[0]?.leave();
        return;
      case 'subscribe':
        this.#subscribe(step.cursors);
    }
  }

  #subscribe(cursors: readonly string[]): void {
    const feed: LiveFeed = this.#mirrors.findForStream(WANTED, CLIENT).feed;
    feed.join();
    const { sink, subscriber } = subscribe(feed.channel, ...cursors);
    const leave = () => {
      feed.channel.unsubscribe(subscriber);
      feed.leave();
    };
    this.peers.push({ cursors, sink, leave });
  }

  #connect(): void {
    if (this.#edge) return;
    const { feed } = this;
    const isCrowded = () => this.#isStalled && this.#waiting.length > 0;
    const edge: HubEdge = new HubEdge({
      socket: {
        get isCrowded() {
          return isCrowded();
        },
        send: (head, body = []) => {
          const bytes = Buffer.concat(body);
          const message: unknown = JSON.parse(JSON.stringify(head));
          // Never from inside of what is being said, as on a socket.
          this.#waiting.push(() => {
            if (this.#edge === edge) this.#mirrors.onMessage(message, bytes);
          });
          if (!this.#isStalled) queueMicrotask(() => this.#deliver());
        },
      },
      feeds: {
        findForStream: () => ({ feed, passes: false }),
        beginWrite: () => () => undefined,
      },
      endpoints: new Map(ENDPOINTS.map((each) => [each.name, each])),
      clock: this.clock,
      onShared: () => undefined,
      onAnswer: () => undefined,
      onClose: () => undefined,
    });
    this.#edge = edge;
    this.#mirrors.onUp();
  }

  #disconnect(): void {
    const edge = this.#edge;
    if (!edge) return;
    this.#edge = undefined;
    this.#isStalled = false;
    this.#waiting = [];
    edge.onClose();
    this.#mirrors.onDown();
  }

  #drain(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#deliver();
    this.#edge?.onDrain();
  }

  #deliver(): void {
    while (!this.#isStalled) {
      const next = this.#waiting.shift();
      if (!next) return;
      next();
    }
  }
}

/** All is well again, and the hub has polled. */
const WELL: readonly Step[] = (['drain', 'connect', 'turn', 'confirm', 'turn'] as const).map(
  (kind) => ({ kind }),
);

test('whatever happens to the hub and its socket, in the end clients have its state, and know whether it is stale', async () => {
  const steps = fc.array(STEP, { maxLength: 50 });
  await fc.assert(
    fc.asyncProperty(steps, async (before) => {
      const model = new Model();
      for (const step of [...before, ...WELL]) await model.run(step);
      if (!model.feed.channel.snapshot) await model.run({ kind: 'publish' });
      await model.run({ kind: 'turn' });
      const { snapshot: state, isStale } = model.feed.channel;
      for (const { cursors, sink } of model.peers) {
        const states = sink.events.filter(carriesState).map(({ id }) => id ?? '');
        if (states.length > 0) assert.equal(states.at(-1), state?.id);
        else assert.ok(cursors.includes(state?.id ?? ''), 'it has it already');
        const told = sink.events.filter(({ type }) => type === 'stale' || type === 'fresh');
        for (const [i, { type }] of told.entries()) {
          assert.equal(type, i % 2 === 0 ? 'stale' : 'fresh', 'told in turns, stale first');
        }
        assert.equal(told.at(-1)?.type === 'stale', isStale, 'knows whether it is stale');
        assert.equal(new Set(states).size, states.length, `nothing twice: ${states}`);
        assert.equal(sink.endedCount, 0);
      }
    }),
    { numRuns: 500 },
  );
});
