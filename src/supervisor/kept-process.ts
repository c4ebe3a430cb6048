import type { ChildProcess } from 'node:child_process';
import type { Clock, Timer } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { ProcessMessage, Ready, SupervisorMessage } from './messages.ts';
import { restartDelayMs } from './restart-delay.ts';

/** What is kept running. */
export interface KeptProcessOptions {
  /** For people: `hub`, `edge 2`. */
  readonly name: string;
  readonly launch: () => ChildProcess;
  /** What it needs to know, as JSON. */
  readonly settings: object;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A process that is started again whenever it ends by itself. */
export class KeptProcess {
  readonly #options: KeptProcessOptions;
  #child: ChildProcess | undefined;
  #readyAt: number | undefined;
  /** In a row, since it last ran for a while. */
  #crashes = 0;
  #restart: Timer | undefined;
  #isStopping = false;

  constructor(options: KeptProcessOptions) {
    this.#options = options;
  }

  /** Of the process as it is now; `undefined` while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Start it for the first time.
   *
   * @throws when it ends before it is ready: then it is not started again.
   */
  start(): Promise<Ready> {
    return new Promise((resolve, reject) => {
      this.#launch(resolve, (why) => {
        this.#isStopping = true;
        reject(new Error(why));
      });
    });
  }

  send(message: SupervisorMessage): void {
    // It may end at any moment.
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  /** Let it finish and end, at the latest after `graceMs`. It is not started again. */
  async stop(graceMs: number): Promise<void> {
    const child = this.#stopRestarting();
    if (!child) return;
    // It does not listen yet.
    if (this.#readyAt === undefined) return this.#kill(child);
    this.send({ kind: 'drain' });
    const timer = this.#options.clock.after(graceMs, () => child.kill('SIGKILL'));
    await exitOf(child);
    timer.cancel();
  }

  /** End it now. */
  async kill(): Promise<void> {
    const child = this.#stopRestarting();
    if (child) await this.#kill(child);
  }

  async #kill(child: ChildProcess): Promise<void> {
    const ended = exitOf(child);
    child.kill('SIGKILL');
    await ended;
  }

  #stopRestarting(): ChildProcess | undefined {
    this.#isStopping = true;
    this.#restart?.cancel();
    return this.#child;
  }

  #launch(onReady: (ready: Ready) => void, onFailed: (why: string) => void): void {
    const { name, launch, settings, clock, log } = this.#options;
    this.#readyAt = undefined;
    const onEnd = (why: string, level: 'info' | 'error' = 'error') => {
      this.#child = undefined;
      if (this.#readyAt === undefined) onFailed(why);
      if (!this.#isStopping) this.#replace(why, level);
    };
    let child: ChildProcess;
    try {
      child = launch();
    } catch (error) {
      return onEnd(error instanceof Error ? error.message : String(error));
    }
    let why: string | undefined;
    child.on('error', (error) => {
      why ??= error.message;
      // What could not be started has no exit.
      if (child.pid === undefined) onEnd(why);
    });
    if (child.pid === undefined) return;
    this.#child = child;
    child.on('message', (message: ProcessMessage) => {
      if (message.kind === 'up') this.send({ kind: 'start', name, settings });
      if (message.kind === 'failed') why = message.why;
      if (message.kind !== 'ready') return;
      this.#readyAt = clock.now();
      log.debug({ process: name, pid: child.pid }, 'process is ready');
      onReady(message);
    });
    child.once('exit', (code, signal) => {
      // Somebody has told it alone to end.
      const level = code === 0 && this.#readyAt !== undefined ? 'info' : 'error';
      onEnd(why ?? `ended with ${signal ?? code}`, level);
    });
  }

  #replace(why: string, level: 'info' | 'error'): void {
    const { name, clock, log } = this.#options;
    const livedMs = this.#readyAt === undefined ? 0 : clock.now() - this.#readyAt;
    const { crashes, delayMs } = restartDelayMs(this.#crashes, livedMs);
    this.#crashes = crashes;
    const fields = { process: name, why, restartInMs: delayMs };
    log[level](fields, 'a process has ended by itself: another one takes its place');
    this.#restart = clock.after(delayMs, () => {
      this.#launch(
        (ready) => log.info({ process: name, urls: ready.urls }, 'process has been replaced'),
        () => undefined,
      );
    });
  }
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
