import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { until } from '../support/until.ts';
import { forkChild, hasEnded, supervise } from './scene.ts';

const HOUR_MS = 3_600_000;
const LONG_RUN_MS = 10_000;

/** A program that the system cannot start. */
const forkNothing = () => fork('nothing.mjs', [], { execPath: '/nonexistent/node' });

/** The child that was started last. */
function last(children: readonly ChildProcess[]): ChildProcess {
  const child = children.at(-1);
  assert.ok(child);
  return child;
}

/** As a crash ends it. */
async function crash(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

test('a process is told its name and its settings, and says where it listens', async (t) => {
  const { kept, children } = supervise(t, { does: 'ready', token: 'of this test' });
  assert.equal(kept.pid, undefined);
  const ready = await kept.start();
  assert.deepEqual(ready.urls, ['http://edge 1/of this test']);
  assert.equal(kept.pid, last(children).pid);
});

const FIRST_FAILURES = [
  ['says why it cannot begin', 'failed', 'the address is in use'],
  ['ends without a word', 'crash', 'ended with 3'],
] as const;

for (const [name, does, why] of FIRST_FAILURES) {
  test(`a process that ${name} at its first start is not started again`, async (t) => {
    const scene = supervise(t, { does });
    await assert.rejects(scene.kept.start(), { message: why });
    assert.equal(scene.kept.pid, undefined);
    assert.equal(scene.clock.pending, 0);
    await scene.clock.advance(HOUR_MS);
    assert.equal(scene.launches, 1);
    assert.deepEqual(scene.crashes(), []);
    await Promise.all([scene.kept.stop(HOUR_MS), scene.kept.kill()]);
  });
}

test('a process that is killed before it is ready fails its start by the signal', async (t) => {
  const { kept, children, clock } = supervise(t, { does: 'silent' });
  const started = assert.rejects(kept.start(), { message: 'ended with SIGKILL' });
  last(children).kill('SIGKILL');
  await started;
  assert.equal(clock.pending, 0);
});

test('a process that the system cannot start fails its start', async (t) => {
  const scene = supervise(t, { does: 'ready' }, forkNothing);
  await assert.rejects(scene.kept.start(), /ENOENT/);
  await scene.clock.advance(HOUR_MS);
  assert.equal(scene.launches, 1);
  await Promise.all([scene.kept.stop(HOUR_MS), scene.kept.kill()]);
});

test('a program that cannot be launched at all fails its start', async (t) => {
  const scene = supervise(t, { does: 'ready' }, () => {
    throw new Error('no memory');
  });
  await assert.rejects(scene.kept.start(), { message: 'no memory' });
  await scene.clock.advance(HOUR_MS);
  assert.equal(scene.launches, 1);
});

test('a process that ends by itself is replaced, and the new one is told its settings again', async (t) => {
  const scene = supervise(t, { does: 'ready', token: 'again' });
  const { kept, children, clock, lines } = scene;
  await kept.start();
  const first = last(children);
  await crash(first);
  assert.equal(kept.pid, undefined);
  assert.deepEqual(scene.crashes(), [
    { process: 'edge 1', why: 'ended with SIGKILL', restartInMs: 50 },
  ]);
  await clock.advance(49);
  assert.equal(scene.launches, 1);
  await clock.advance(1);
  assert.equal(scene.launches, 2);
  assert.notEqual(kept.pid, first.pid);
  await until(() => lines.at(-1)?.level === 'info');
  assert.deepEqual(lines.at(-1)?.fields['urls'], ['http://edge 1/again']);
});

test('one that ends with a code is named by it, whatever the code is', async (t) => {
  const scene = supervise(t, { does: 'ready' });
  await scene.kept.start();
  scene.kept.send({ kind: 'reload' });
  await until(() => scene.crashes().length === 1);
  assert.equal(scene.crashes()[0]?.['why'], 'ended with 7');
  assert.equal(scene.clock.pending, 1);
});

test('it is started ever later while it ends at once, and soon again after a long run', async (t) => {
  const scene = supervise(t, { does: 'ready' });
  const { kept, children, clock, lines } = scene;
  await kept.start();
  const delays = () => scene.crashes().map(({ restartInMs }) => restartInMs);
  const replaced = () => lines.filter(({ level }) => level === 'info').length;
  for (const [index, delayMs] of [50, 100, 200].entries()) {
    await crash(last(children));
    await clock.advance(delayMs);
    await until(() => replaced() === index + 1);
  }
  await clock.advance(LONG_RUN_MS);
  await crash(last(children));
  assert.deepEqual(delays(), [50, 100, 200, 50]);
});

test('one that cannot be started again is tried until it can, and nothing ends the supervisor', async (t) => {
  const scene = supervise(t, { does: 'ready' }, (count) => {
    if (count === 2) throw new Error('no memory');
    return count === 3 ? forkNothing() : forkChild();
  });
  const { kept, children, clock, lines } = scene;
  await kept.start();
  await crash(last(children));
  await clock.advance(50);
  assert.equal(scene.crashes().at(-1)?.['why'], 'no memory');
  await clock.advance(100);
  await until(() => scene.crashes().length === 3);
  assert.match(String(scene.crashes().at(-1)?.['why']), /ENOENT/);
  assert.equal(kept.pid, undefined);
  await clock.advance(200);
  await until(() => lines.at(-1)?.level === 'info');
  assert.equal(scene.launches, 4);
  assert.equal(kept.pid, last(children).pid);
});

test('one that ends before it is ready is tried again, if it was ready once', async (t) => {
  let does: 'ready' | 'failed' = 'ready';
  const settings = {
    get does() {
      return does;
    },
  };
  const scene = supervise(t, settings);
  const { kept, children, clock, lines } = scene;
  await kept.start();
  does = 'failed';
  await crash(last(children));
  await clock.advance(50);
  await until(() => scene.crashes().length === 2);
  assert.deepEqual(scene.crashes()[1], {
    process: 'edge 1',
    why: 'the address is in use',
    restartInMs: 100,
  });
  does = 'ready';
  await clock.advance(100);
  await until(() => lines.at(-1)?.level === 'info');
});

test('a stop lets the process finish and end, and it is not started again', async (t) => {
  const scene = supervise(t, { does: 'ready' });
  const { kept, children, clock } = scene;
  await kept.start();
  await kept.stop(HOUR_MS);
  const child = last(children);
  assert.deepEqual([child.exitCode, child.signalCode], [0, null]);
  assert.equal(kept.pid, undefined);
  assert.equal(clock.pending, 0, 'nothing is left to be killed');
  await clock.advance(2 * HOUR_MS);
  assert.equal(scene.launches, 1);
  assert.deepEqual(scene.crashes(), []);
});

test('a process that does not end in time is killed then, and not before', async (t) => {
  const { kept, children, clock } = supervise(t, { does: 'ready', isStubborn: true });
  await kept.start();
  const child = last(children);
  const stopped = kept.stop(5_000);
  await clock.advance(4_999);
  assert.equal(child.killed, false);
  assert.equal(hasEnded(child), false);
  await clock.advance(1);
  await stopped;
  assert.equal(child.signalCode, 'SIGKILL');
  assert.equal(clock.pending, 0);
});

test('a stop does not wait for a process that is not ready yet', async (t) => {
  const { kept, children, clock } = supervise(t, { does: 'silent' });
  const started = assert.rejects(kept.start());
  await kept.stop(HOUR_MS);
  await started;
  assert.equal(last(children).signalCode, 'SIGKILL');
  assert.equal(clock.pending, 0);
});

test('a stop while nothing runs takes the place of the next start', async (t) => {
  const scene = supervise(t, { does: 'ready' });
  const { kept, children, clock } = scene;
  await kept.start();
  await crash(last(children));
  assert.equal(clock.pending, 1);
  await kept.stop(HOUR_MS);
  assert.equal(clock.pending, 0);
  await clock.advance(HOUR_MS);
  assert.equal(scene.launches, 1);
});

test('a kill ends it at once, however stubborn it is, and it is not started again', async (t) => {
  const scene = supervise(t, { does: 'ready', isStubborn: true });
  const { kept, children, clock } = scene;
  await kept.start();
  await kept.kill();
  assert.equal(last(children).signalCode, 'SIGKILL');
  await clock.advance(HOUR_MS);
  assert.equal(scene.launches, 1);
  assert.deepEqual(scene.crashes(), []);
  await kept.kill();
});

test('a kill ends a stop that waits', async (t) => {
  const { kept, clock } = supervise(t, { does: 'ready', isStubborn: true });
  await kept.start();
  const stopped = kept.stop(HOUR_MS);
  await kept.kill();
  await stopped;
  assert.equal(clock.pending, 0);
});

test('what is said to a process that is not there any more is nobody’s', async (t) => {
  const { kept, children } = supervise(t, { does: 'ready' });
  kept.send({ kind: 'reload' });
  await kept.start();
  last(children).kill('SIGKILL');
  kept.send({ kind: 'reload' });
  await once(last(children), 'exit');
  kept.send({ kind: 'reload' });
});
