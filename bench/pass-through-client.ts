// Asks through one contender after the other, over bare sockets, and counts. Told what to do by
// messages; ends with an error when an answer is not the upstream's.
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { delay, quantile } from './figures.ts';
import type { Case } from './pass-through-cases.ts';
import { CASES } from './pass-through-cases.ts';
import { cpuMs } from './processes.ts';
import { MessageReader } from './read-message.ts';

/** What is to be done. */
export interface Order {
  readonly pid: number;
  readonly port: number;
  readonly path: string;
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
  const open = known.isNewConnection ? openEachTime : openOnce;
  const connections = await Promise.all(
    Array.from({ length: known.connections }, () => open(order.port, known, onAnswer)),
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
  const usedMs = cpuMs(order.pid) - before.cpuMs;
  const tookMs = performance.now() - before.at;
  const answered = latenciesMs;
  isOver = true;
  clearInterval(pace);
  for (const connection of connections) connection.close();
  return {
    cpuMicroseconds: (usedMs * 1_000) / answered.length,
    perSecond: (answered.length * 1_000) / tookMs,
    p50Ms: quantile(answered, 0.5),
    p99Ms: quantile(answered, 0.99),
    busy: usedMs / tookMs,
  };
}

type OnAnswer = (connection: Connection, askedAt: number) => void;

/** A connection that carries one exchange at a time. */
function openOnce(port: number, known: Case, onAnswer: OnAnswer): Promise<Connection> {
  return new Promise((resolve) => {
    let askedAt = 0;
    let isClosed = false;
    const socket = openSocket(port, known, () => onAnswer(connection, askedAt));
    const connection: Connection = {
      ask(at) {
        askedAt = at;
        socket.write(known.request);
      },
      close() {
        isClosed = true;
        socket.destroy();
      },
    };
    socket.once('connect', () => resolve(connection));
    socket.on('close', () => isClosed || fail(new Error('the contender closed a connection')));
  });
}

/** The same with a socket for each exchange; connecting is part of it. */
async function openEachTime(port: number, known: Case, onAnswer: OnAnswer): Promise<Connection> {
  let socket: Socket | undefined;
  const connection: Connection = {
    ask(at) {
      const fresh = openSocket(port, known, () => {
        fresh.destroy();
        onAnswer(connection, at);
      });
      fresh.write(known.request);
      socket = fresh;
    },
    close: () => void socket?.destroy(),
  };
  return connection;
}

function openSocket(port: number, { answerBody }: Case, onAnswer: () => void): Socket {
  const reader = new MessageReader();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', fail);
  socket.on('data', (chunk) => {
    const answer = reader.add(chunk);
    if (!answer) return;
    if (!answer.start.startsWith('HTTP/1.1 200') || answer.body !== answerBody) {
      return fail(new Error(`not the upstream's answer: ${answer.start}`));
    }
    onAnswer();
  });
  return socket;
}

/** Call back so often, on the whole: what a late timer has missed is made up for. */
function every(perSecond: number, startedAt: number, callback: (now: number) => void) {
  let count = 0;
  return setInterval(() => {
    const now = performance.now();
    for (; count < ((now - startedAt) * perSecond) / 1_000; count++) callback(now);
  }, 1);
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}
