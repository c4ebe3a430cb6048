import type { MessageHandlers, MessageSocket } from '../cluster/message-socket.ts';
import type { Clock } from '../shared/clock.ts';
import type { Endpoint } from './endpoint.ts';
import type { Feeds } from './feeds.ts';
import { HubEdge } from './hub-edge.ts';
import type { EdgeQuestion, EdgeReport, SharedMessage } from './hub-messages.ts';

/** What a hub is made of. */
export interface HubOptions {
  readonly feeds: Pick<Feeds, 'findForStream' | 'beginWrite' | 'endSession'>;
  readonly endpoints: readonly Endpoint[];
  readonly clock: Clock;
}

interface Question {
  readonly reports: EdgeReport[];
  readonly waitsFor: Set<HubEdge>;
  readonly end: () => void;
}

/** Longest time to wait for what edges say. */
const PATIENCE_MS = 2_000;

/** Polls for edges, which face clients: each state once, however many of them show it. */
export class Hub {
  readonly #options: HubOptions;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #edges = new Set<HubEdge>();
  readonly #questions = new Map<number, Question>();
  #calls = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#endpoints = new Map(options.endpoints.map((endpoint) => [endpoint.name, endpoint]));
  }

  /** An edge is there. */
  welcome(socket: MessageSocket): MessageHandlers {
    const { feeds, clock } = this.#options;
    const edge: HubEdge = new HubEdge({
      socket,
      feeds,
      endpoints: this.#endpoints,
      clock,
      onShared: (message) => this.#share(edge, message),
      onAnswer: (call, report) => this.#onAnswer(edge, call, report),
      onClose: () => {
        this.#edges.delete(edge);
        for (const call of this.#questions.keys()) this.#onAnswer(edge, call, undefined);
      },
    });
    this.#edges.add(edge);
    return edge;
  }

  /** What the edges say; those that do not answer in time are left out. */
  ask(question: EdgeQuestion): Promise<readonly EdgeReport[]> {
    if (this.#edges.size === 0) return Promise.resolve([]);
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve) => {
      const reports: EdgeReport[] = [];
      const end = () => {
        this.#questions.delete(call);
        timer.cancel();
        resolve(reports);
      };
      const timer = this.#options.clock.after(PATIENCE_MS, end);
      this.#questions.set(call, { reports, waitsFor: new Set(this.#edges), end });
      for (const edge of this.#edges) edge.send({ kind: 'ask', call, question });
    });
  }

  #share(from: HubEdge, message: SharedMessage): void {
    if (message.kind === 'logout') {
      this.#options.feeds.endSession(message.client, message.status);
    }
    for (const edge of this.#edges) if (edge !== from) edge.send(message);
  }

  #onAnswer(edge: HubEdge, call: number, report: EdgeReport | undefined): void {
    const question = this.#questions.get(call);
    if (!question?.waitsFor.delete(edge)) return;
    if (report) question.reports.push(report);
    if (question.waitsFor.size === 0) question.end();
  }
}
