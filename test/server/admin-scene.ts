import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { AdminListener, AdminTimes } from '../../src/server/admin.ts';
import { openAdmin } from '../../src/server/admin.ts';
import type { AdminRoute } from '../../src/server/admin-route.ts';
import type { AdminHandlers } from '../../src/server/admin-routes.ts';
import { adminRoutes } from '../../src/server/admin-routes.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { DiscoveryReport } from '../../src/shared/discovery-report.ts';
import type { Explanation, Question } from '../../src/shared/explanation.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { ask, readAnswer } from '../support/raw-answer.ts';
import { watchSocket } from '../support/raw-peer.ts';
import type { LogLine } from '../support/recording-log.ts';
import { recordingLog } from '../support/recording-log.ts';

/** As long as a token should be, and unlike any other text here. */
export const TOKEN = 'f2b0c1d7a6e94c3b8d5e';

/** An admin listener under test. */
export interface TestAdmin extends AdminListener {
  readonly port: number;
  /** What was asked for, in order. */
  readonly refreshed: string[];
  readonly questions: Question[];
  readonly lines: LogLine[];
  /** Send one request on a connection of its own. */
  ask(request: string): Promise<RawAnswer>;
}

/** What a test may choose. */
export interface TestAdminOptions {
  readonly token?: string;
  /** Listen on a unix socket in place of a port. */
  readonly path?: string;
  readonly clock?: Clock;
  readonly times?: Partial<AdminTimes>;
  readonly handlers?: Partial<AdminHandlers>;
  readonly routes?: readonly AdminRoute[];
}

const EXPLANATION: Explanation = { url: '/a', route: 'site', why: 'matches no pattern of "live"' };

const NOTHING_FOUND: DiscoveryReport = {
  looked: { requests: 0, clients: 0, spanMs: 0, unreadable: 0 },
  found: [],
  notes: ['nothing is polled: no request was seen'],
};

/** Open an admin listener on a free port of the loopback; closed when the test ends. */
export async function startAdmin(
  t: TestContext,
  { token, path, clock = systemClock, times = {}, handlers = {}, routes }: TestAdminOptions = {},
): Promise<TestAdmin> {
  const refreshed: string[] = [];
  const questions: Question[] = [];
  const { log, lines } = recordingLog();
  const recording: AdminHandlers = {
    refresh(target) {
      refreshed.push(target);
      return handlers.refresh?.(target) ?? { channels: 1 };
    },
    explain(question) {
      questions.push(question);
      return handlers.explain?.(question) ?? EXPLANATION;
    },
    discover: async () => handlers.discover?.() ?? NOTHING_FOUND,
  };
  const address = path
    ? ({ kind: 'unix', path } as const)
    : ({ kind: 'tcp', host: '127.0.0.1', port: 0 } as const);
  const listener = await openAdmin(token === undefined ? { address } : { address, token }, {
    routes: routes ?? adminRoutes(recording, clock),
    clock,
    log,
    times,
  });
  t.after(() => listener.close());
  const port = Number(/:(\d+)$/.exec(listener.url)?.[1]);
  const send = (request: string) => (path ? askAt(t, path, request) : ask(t, port, request));
  return { ...listener, port, refreshed, questions, lines, ask: send };
}

/** A path for a socket in a folder that is removed with the test. */
export function socketPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'admin.sock');
}

/** A request with these header lines and a body, all of it latin1. */
export function post(target: string, lines: readonly string[] = [], body = ''): string {
  const length = `Content-Length: ${body.length}`;
  const head = [`POST ${target} HTTP/1.1`, 'Host: localhost', length, 'Connection: close'];
  return [...head, ...lines, '', body].join('\r\n');
}

export const AUTHORIZED = `Authorization: Bearer ${TOKEN}`;
export const JSON_BODY = 'Content-Type: application/json';

/** The code of a refusal. */
export function codeOf(answer: RawAnswer): unknown {
  return (JSON.parse(answer.body) as { code?: unknown }).code;
}

async function askAt(t: TestContext, path: string, request: string): Promise<RawAnswer> {
  const socket = connect(path);
  t.after(() => socket.destroy());
  const peer = watchSocket(socket);
  peer.send(request);
  return await readAnswer(peer, { method: request.split(' ', 1)[0] ?? 'GET' });
}
