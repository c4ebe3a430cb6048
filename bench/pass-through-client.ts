// Asks through one contender after the other, over bare sockets, and counts. Told what to do by
// messages; ends with an error when an answer is not the upstream's.
import { connect } from 'node:net';
import type { Case } from './pass-through-cases.ts';
import { CASES, readMessage } from './pass-through-cases.ts';
import { cpuMs } from './processes.ts';

/** What is to be done. */
export interface Order {
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** Ask so often, whether or not answers keep up; without it each connection asks when answered. */
  readonly perSecond?: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What came of it. */
export interface Outcome {
  readonly cpuMicroseconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How much of one core the contender had: well below 1, something else was waited for. */
  readonly busy: number;
}

interface Connection {
  ask(askedAt: number): void;
  close(): void;
}

process.on('message', (order: Order) => {
  carryOut(order).then((outcome) => process.send?.(outcome), fail);
});

async function carryOut(order: Order): Promise<Outcome> {
  const known = CASES[order.path];
  if (!known) throw new Error(`no case ${order.path}`);
  let latenciesMs: number[] = [];
  let isOver = false;
  const idle: Connection[] = [];
  const waiting: number[] = [];
  const onAnswer = (connection: Connection, askedAt: number) => {
    const now = performance.now();
    latenciesMs.push(now - askedAt);
    if (isOver) return;
    if (order.perSecond === undefined) return connection.ask(now);
    const next = waiting.shift();
    if (next === undefined) idle.push(connection);
    else connection.ask(next);
  };
  const connections = await Promise.all(
    Array.from({ length: order.connections }, () => open(order.port, known, onAnswer)),
  );
  const startedAt = performance.now();
  if (order.perSecond === undefined)
    for (const connection of connections) connection.ask(startedAt);
  else idle.push(...connections);
  const pace =
    order.perSecond === undefined
      ? undefined
      : every(order.perSecond, startedAt, (now) => {
          const connection = idle.shift();
          if (connection) connection.ask(now);
          else waiting.push(now);
        });

  await delay(order.warmUpMs);
  latenciesMs = [];
  const before = { cpuMs: cpuMs(order.pid), at: performance.now() };
  await delay(order.measureMs);
  const answered = latenciesMs.toSorted((a, b) => a - b);
  const usedMs = cpuMs(order.pid) - before.cpuMs;
  const tookMs = performance.now() - before.at;
  isOver = true;
  clearInterval(pace);
  for (const connection of connections) connection.close();
  return {
    cpuMicroseconds: (usedMs * 1_000) / answered.length,
    perSecond: (answered.length * 1_000) / tookMs,
    p50Ms: answered[Math.floor(answered.length * 0.5)] ?? Number.NaN,
    p99Ms: answered[Math.floor(answered.length * 0.99)] ?? Number.NaN,
    busy: usedMs / tookMs,
  };
}

/** A connection that carries one exchange at a time. */
function open(
  port: number,
  { request, answerBody }: Case,
  onAnswer: (connection: Connection, askedAt: number) => void,
): Promise<Connection> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let text = '';
    let askedAt = 0;
    let isClosed = false;
    const connection: Connection = {
      ask(at) {
        askedAt = at;
        socket.write(request);
      },
      close() {
        isClosed = true;
        socket.destroy();
      },
    };
    socket.once('connect', () => resolve(connection));
    socket.on('error', fail);
    socket.on('close', () => {
      if (!isClosed) fail(new Error('the contender closed a connection'));
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const answer = readMessage(text);
      if (!answer) return;
      if (!answer.start.startsWith('HTTP/1.1 200') || answer.body !== answerBody) {
        return fail(new Error(`not the upstream's answer:\n${text}`));
      }
      text = '';
      onAnswer(connection, askedAt);
    });
  });
}

/** Call back so often, on the whole: what a late timer has missed is made up for. */
function every(perSecond: number, startedAt: number, callback: (now: number) => void) {
  let count = 0;
  return setInterval(() => {
    const now = performance.now();
    for (; count < ((now - startedAt) * perSecond) / 1_000; count++) callback(now);
  }, 1);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}
