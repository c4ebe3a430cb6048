import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import type { BreakerPass, UpstreamBreakerOptions } from '../../src/poll/upstream-breaker.ts';
import { createUpstreamBreaker } from '../../src/poll/upstream-breaker.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { createFakeClock } from '../support/fake-clock.ts';

/** A channel that notes what it is told, and polls for a trial when the test says so. */
interface Channel {
  readonly pass: BreakerPass;
  invitations: number;
  recoveries: number;
  willTry: boolean;
}

function setUp(options: Partial<UpstreamBreakerOptions> = {}) {
  const clock = createFakeClock();
  const probes: { readonly at: number; readonly signal: AbortSignal }[] = [];
  const lines: string[] = [];
  const upstream = { takesConnections: false };
  const note = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${JSON.stringify(fields)} ${message}`);
  const breaker = createUpstreamBreaker({
    clock,
    random: () => 0.5,
    probe: async (signal) => {
      probes.push({ at: clock.now(), signal });
      return upstream.takesConnections;
    },
    log: { ...silentLogger, info: note('info'), warn: note('warn') },
    label: { upstream: 'http://127.0.0.1:1' },
    ...options,
  });

  function join(everyMs = 2_000): Channel {
    const pass = breaker.join({
      everyMs,
      onTrial() {
        channel.invitations += 1;
        return channel.willTry;
      },
      onRecovered() {
        channel.recoveries += 1;
      },
    });
    const channel = { pass, invitations: 0, recoveries: 0, willTry: true };
    return channel;
  }

  /** Channels whose polls have all failed. */
  function openWith(count: number): Channel[] {
    const channels = Array.from({ length: count }, () => join());
    for (let round = 0; round < 2; round++) {
      for (const { pass } of channels) if (pass.mayPoll()) pass.onResult('down');
    }
    assert.equal(breaker.state, 'open');
    return channels;
  }

  return { clock, breaker, probes, lines, upstream, join, openWith };
}

/** Whose poll is let through. */
const allowed = (channels: readonly Channel[]) => channels.map(({ pass }) => pass.mayPoll());
const invitations = (channels: readonly Channel[]) => channels.map((one) => one.invitations);
const recoveries = (channels: readonly Channel[]) => channels.map((one) => one.recoveries);

/** Move on until a poll is wanted. */
async function untilTrial({ clock, upstream }: ReturnType<typeof setUp>): Promise<void> {
  upstream.takesConnections = true;
  await clock.advance(35_000);
}

test('while all is well every poll is let through, and no timer is set', () => {
  const { clock, breaker, join } = setUp();
  const channels = [join(), join()];
  assert.deepEqual(allowed(channels), [true, true]);
  for (const { pass } of channels) pass.onResult('up');
  assert.deepEqual([breaker.state, clock.pending], ['closed', 0]);
});

test('after failures in a row no poll is let through', () => {
  const { openWith } = setUp();
  assert.deepEqual(allowed(openWith(5)), [false, false, false, false, false]);
});

test('probes go on until one succeeds, then one channel is asked to poll', async () => {
  const { clock, breaker, probes, upstream, openWith } = setUp();
  const channels = openWith(3);
  await clock.advance(3_400);
  assert.deepEqual(
    probes.map((probe) => probe.at),
    [1_000, 2_000, 3_300],
  );
  assert.deepEqual(invitations(channels), [0, 0, 0]);
  upstream.takesConnections = true;
  await clock.advance(1_600);
  assert.equal(breaker.state, 'half-open');
  assert.deepEqual(invitations(channels), [1, 0, 0]);
});

test('exactly one poll is let through for a trial, whosever comes first', async () => {
  const scene = setUp();
  const channels = scene.openWith(3);
  await untilTrial(scene);
  assert.deepEqual(allowed([...channels].reverse()), [true, false, false]);
  assert.deepEqual(allowed(channels), [false, false, false]);
  assert.equal(scene.breaker.state, 'half-open');
});

test('a trial that succeeds closes it, and every channel is told once', async () => {
  const scene = setUp();
  const channels = scene.openWith(3);
  await untilTrial(scene);
  const [first] = channels;
  assert.ok(first?.pass.mayPoll());
  assert.deepEqual(recoveries(channels), [0, 0, 0]);
  first?.pass.onResult('up');
  assert.deepEqual(recoveries(channels), [1, 1, 1]);
  assert.deepEqual(allowed(channels), [true, true, true]);
  for (const { pass } of channels) pass.onResult('up');
  assert.deepEqual(recoveries(channels), [1, 1, 1]);
  assert.equal(scene.clock.pending, 0);
});

test('a trial that fails opens it again, and the next trial is the next channel’s', async () => {
  const scene = setUp();
  const channels = scene.openWith(3);
  for (const expected of [
    [1, 0, 0],
    [1, 1, 0],
    [1, 1, 1],
    [2, 1, 1],
  ]) {
    await untilTrial(scene);
    assert.deepEqual(invitations(channels), expected);
    const owner = channels.find(({ pass }) => pass.mayPoll());
    owner?.pass.onResult('failing');
    assert.equal(scene.breaker.state, 'open');
  }
  assert.deepEqual(recoveries(channels), [0, 0, 0]);
});

test('a channel that cannot try it now is passed over', async () => {
  const scene = setUp();
  const channels = scene.openWith(3);
  for (const channel of channels.slice(0, 2)) channel.willTry = false;
  await untilTrial(scene);
  assert.deepEqual(invitations(channels), [1, 1, 1]);
});

test('when none can try it now, the next poll of any is the trial', async () => {
  const scene = setUp();
  const channels = scene.openWith(2);
  for (const channel of channels) channel.willTry = false;
  await untilTrial(scene);
  assert.deepEqual(invitations(channels), [1, 1]);
  assert.equal(scene.clock.pending, 0);
  assert.deepEqual(allowed(channels), [true, false]);
});

test('a channel may poll for the trial while it is being asked', async () => {
  const scene = setUp();
  const { breaker, clock, join, upstream } = scene;
  const others = [join(), join()];
  const told: string[] = [];
  const pass = breaker.join({
    everyMs: 2_000,
    onTrial() {
      told.push(`asked: ${pass.mayPoll()}`);
      pass.onResult('up');
      return true;
    },
    onRecovered: () => void told.push('recovered'),
  });
  for (const channel of others) channel.willTry = false;
  for (let round = 0; round < 3; round++) pass.onResult('down');
  upstream.takesConnections = true;
  await clock.advance(1_000);
  assert.deepEqual(told, ['asked: true', 'recovered']);
  assert.equal(breaker.state, 'closed');
  assert.equal(clock.pending, 0);
});

test('a success of a poll that was sent earlier closes it as well, and ends the probe', async () => {
  const { clock, breaker, probes, openWith } = setUp({
    probe: (signal) => {
      probes.push({ at: 0, signal });
      return new Promise(() => undefined);
    },
  });
  const [first] = openWith(2);
  await clock.advance(1_000);
  assert.equal(probes.length, 1);
  first?.pass.onResult('up');
  assert.equal(breaker.state, 'closed');
  assert.ok(probes[0]?.signal.aborted);
  assert.equal(clock.pending, 0);
});

test('a failure that was ours says nothing of the upstream', () => {
  const { breaker, join } = setUp();
  const { pass } = join();
  for (let count = 0; count < 20; count++) pass.onResult('unknown');
  assert.equal(breaker.state, 'closed');
});

test('a trial whose failure was ours has failed', async () => {
  const scene = setUp();
  const [channel] = scene.openWith(1);
  await untilTrial(scene);
  assert.ok(channel?.pass.mayPoll());
  channel?.pass.onResult('unknown');
  assert.equal(scene.breaker.state, 'open');
});

test('a trial that is abandoned passes to another channel', async () => {
  const scene = setUp();
  const channels = scene.openWith(3);
  await untilTrial(scene);
  assert.ok(channels[0]?.pass.mayPoll());
  channels[0]?.pass.leave();
  assert.deepEqual(invitations(channels), [1, 1, 0]);
  channels[1]?.pass.leave(); // it had promised, and leaves before it could
  assert.deepEqual(invitations(channels), [1, 1, 1]);
  assert.ok(channels[2]?.pass.mayPoll());
});

test('who has left is neither asked nor told nor heard', async () => {
  const scene = setUp();
  const [gone, other] = scene.openWith(2);
  gone?.pass.leave();
  gone?.pass.leave();
  gone?.pass.onResult('up');
  assert.equal(scene.breaker.state, 'open');
  await untilTrial(scene);
  assert.ok(other?.pass.mayPoll());
  other?.pass.onResult('up');
  assert.deepEqual([gone?.invitations, gone?.recoveries, gone?.pass.mayPoll()], [0, 0, false]);
});

test('a trial whose end nobody tells has failed after two minutes', async () => {
  const scene = setUp();
  const [channel] = scene.openWith(1);
  await untilTrial(scene);
  assert.ok(channel?.pass.mayPoll());
  await scene.clock.advance(119_999);
  assert.equal(scene.breaker.state, 'half-open');
  await scene.clock.advance(1);
  assert.equal(scene.breaker.state, 'open');
});

for (const [how, probe] of [
  ['is rejected', () => Promise.reject(new Error('no'))],
  [
    'throws',
    () => {
      throw new Error('no');
    },
  ],
] as const) {
  test(`a probe that ${how} has failed, and probes go on`, async () => {
    let count = 0;
    const scene = setUp({
      probe() {
        count += 1;
        return probe();
      },
    });
    scene.openWith(1);
    await scene.clock.advance(3_500);
    assert.deepEqual([count, scene.breaker.state], [3, 'open']);
  });
}

test('a probe that hangs has failed after its time, is told so, and probes go on', async () => {
  const signals: AbortSignal[] = [];
  const { clock, openWith } = setUp({
    probeTimeoutMs: 4_000,
    probe(signal) {
      signals.push(signal);
      return new Promise(() => undefined);
    },
  });
  openWith(1);
  await clock.advance(4_999);
  assert.deepEqual([signals.length, signals[0]?.aborted], [1, false]);
  await clock.advance(1_001);
  assert.deepEqual([signals.length, signals[0]?.aborted], [2, true]);
  assert.equal(clock.pending, 1);
});

test('what a probe says after its time is not heard', async () => {
  const answers: ((isGood: boolean) => void)[] = [];
  const { clock, breaker, openWith } = setUp({
    probeTimeoutMs: 500,
    probe: () => new Promise((resolve) => answers.push(resolve)),
  });
  openWith(1);
  await clock.advance(1_600);
  answers[0]?.(true);
  await clock.advance(0);
  assert.equal(breaker.state, 'open');
});

test('without channels nobody is probed; with the next one probes go on', async () => {
  const { clock, breaker, probes, openWith, join } = setUp();
  const channels = openWith(2);
  await clock.advance(2_500);
  const before = probes.length;
  for (const { pass } of channels) pass.leave();
  assert.equal(clock.pending, 0);
  await clock.advance(29_999);
  assert.equal(probes.length, before);
  assert.equal(breaker.state, 'open');
  join();
  join();
  await clock.advance(0);
  assert.equal(probes.length, before + 1);
});

test('what nobody has polled for half a minute is polled as if nothing had been', async () => {
  const { clock, breaker, openWith, join } = setUp();
  for (const { pass } of openWith(2)) pass.leave();
  await clock.advance(30_000);
  const channels = [join(), join()];
  assert.deepEqual([...allowed(channels), breaker.state], [true, true, 'closed']);
  assert.equal(clock.pending, 0);
});

test('a probe under way ends when the last channel leaves, and the next channel begins another', async () => {
  const { clock, probes, join, openWith } = setUp({
    probe(signal) {
      probes.push({ at: clock.now(), signal });
      return new Promise(() => undefined);
    },
  });
  const [channel] = openWith(1);
  await clock.advance(1_000);
  channel?.pass.leave();
  assert.deepEqual([probes[0]?.signal.aborted, clock.pending], [true, 0]);
  join();
  await clock.advance(0);
  assert.equal(probes.length, 2);
});

test('closing ends the timers and the probe, and nothing is let through any more', async () => {
  for (const moment of [0, 1_000, 1_500]) {
    const { clock, breaker, probes, openWith } = setUp({
      probe(signal) {
        probes.push({ at: clock.now(), signal });
        return new Promise(() => undefined);
      },
    });
    const [channel] = openWith(1);
    await clock.advance(moment);
    breaker.close();
    assert.equal(clock.pending, 0);
    assert.ok(probes.every(({ signal }) => signal.aborted));
    channel?.pass.onResult('up');
    channel?.pass.leave();
    await clock.advance(60_000);
    assert.deepEqual([channel?.pass.mayPoll(), channel?.recoveries, clock.pending], [false, 0, 0]);
  }
});

test('who joins after it was closed is not let through, nor heard', () => {
  const { clock, breaker, join } = setUp();
  breaker.close();
  const { pass } = join();
  for (let count = 0; count < 9; count++) pass.onResult('down');
  assert.deepEqual([pass.mayPoll(), breaker.state, clock.pending], [false, 'closed', 0]);
});

test('closing during a trial leaves no timer', async () => {
  const scene = setUp();
  const [channel] = scene.openWith(1);
  await untilTrial(scene);
  assert.ok(channel?.pass.mayPoll());
  scene.breaker.close();
  channel?.pass.onResult('failing');
  assert.equal(scene.clock.pending, 0);
});

test('no listener is left on the signals of probes', async () => {
  const { clock, probes, openWith } = setUp();
  openWith(1);
  await clock.advance(10_000);
  assert.ok(probes.length > 3);
  for (const { signal } of probes) {
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  }
});

test('Retry-After is believed up to ten minutes', async () => {
  const { clock, probes, join } = setUp();
  const { pass } = join();
  for (let count = 0; count < 3; count++) pass.onResult('failing', 365 * 86_400_000);
  await clock.advance(599_999);
  assert.equal(probes.length, 0);
  await clock.advance(1);
  assert.equal(probes.length, 1);
});

test('the log tells once that the upstream fails, and once that it is back and after what time', async () => {
  const scene = setUp();
  const channels = scene.openWith(5);
  for (let count = 0; count < 3; count++) {
    await untilTrial(scene);
    const owner = channels.find(({ pass }) => pass.mayPoll());
    owner?.pass.onResult(count < 2 ? 'failing' : 'up');
  }
  assert.deepEqual(scene.lines, [
    'warn {"upstream":"http://127.0.0.1:1"} the upstream fails: it is not polled until it answers again',
    'info {"upstream":"http://127.0.0.1:1","downMs":105000} the upstream answers again: polls go on',
  ]);
});
