import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KeptProcess } from '../../src/supervisor/kept-process.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/recording-log.ts';

/** What the child does: see children/child.mjs. */
export interface ChildSettings {
  readonly does: 'ready' | 'failed' | 'silent' | 'crash';
  readonly isStubborn?: boolean;
  readonly token?: string;
}

const CHILD = fileURLToPath(new URL('./children/child.mjs', import.meta.url));

/** The program that a test is about, started as often as it is asked for. */
export function forkChild(): ChildProcess {
  return fork(CHILD, [], { execArgv: [] });
}

/** A kept process; its clock is the test's. */
export function supervise(
  t: TestContext,
  settings: ChildSettings,
  launch: (count: number) => ChildProcess = forkChild,
) {
  const clock = createFakeClock();
  const { log, lines } = recordingLog();
  const children: ChildProcess[] = [];
  let launches = 0;
  const kept = new KeptProcess({
    name: 'edge 1',
    launch() {
      launches += 1;
      const child = launch(launches);
      children.push(child);
      return child;
    },
    settings,
    clock,
    log,
  });
  t.after(() => {
    for (const child of children) child.kill('SIGKILL');
  });
  return {
    kept,
    clock,
    lines,
    children,
    get launches() {
      return launches;
    },
    /** What was logged of processes that have ended. */
    crashes: () => lines.filter(({ level }) => level === 'error').map(({ fields }) => fields),
  };
}

/** Has it ended, as the system says? */
export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
