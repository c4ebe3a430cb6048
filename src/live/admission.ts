import { ownOrigin } from '../shared/downstream.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Framing } from '../transport/framing.ts';
import { corsHeaders, gateStream } from '../transport/gate.ts';
import type { LiveExchange, StreamRequest } from './exchange.ts';
import { StreamLimits } from './stream-limits.ts';

/** Who may open streams, and how many. */
export interface AdmissionOptions {
  /** Other origins that may read streams. */
  readonly origins: readonly string[];
  readonly limits: { readonly streams: number; readonly streamsPerAddress: number };
  readonly random: () => number;
}

/** Clients that are sent away come back at random moments in this range. */
const COME_BACK_MS = { from: 15_000, to: 45_000 };

/** Lets streams in: by where the request comes from, and while there is room. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #limits: StreamLimits;
  #isClosed = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#limits = new StreamLimits(options.limits);
  }

  /** May the sender of this request read a stream? @throws {ProxyError} when it may not. */
  check(exchange: LiveExchange, framing: Framing): StreamRequest {
    const { req, downstream } = exchange;
    const gate = gateStream(req.rawHeaders, ownOrigin(downstream), this.#options.origins);
    if (gate.kind === 'refused') throw new ProxyError(gate.code);
    return { ...exchange, framing, cors: corsHeaders(gate.corsOrigin) };
  }

  /**
   * Take a place for a stream, to be released when it is over. False when there is none, and the
   * request has its answer.
   *
   * @throws {ProxyError} the same for transports whose clients understand a status.
   */
  enter(request: StreamRequest): boolean {
    const refused = this.#isClosed ? 'DRAINING' : this.#limits.take(request.downstream.address);
    if (refused) this.#comeBackLater(request, refused);
    return !refused;
  }

  /** Give the place back. */
  leave({ downstream }: StreamRequest): void {
    this.#limits.release(downstream.address);
  }

  /** Give the place back and refuse the request after all. @throws as `enter`. */
  sendAway(request: StreamRequest, code: ErrorCode): void {
    this.leave(request);
    this.#comeBackLater(request, code);
  }

  /** Let nobody in any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** EventSource gives up for good on any status but 200: it has to be told inside a stream. */
  #comeBackLater({ res, framing, cors }: StreamRequest, code: ErrorCode): void {
    if (framing.transport !== 'sse') throw new ProxyError(code);
    const { from, to } = COME_BACK_MS;
    const retryMs = from + this.#options.random() * (to - from);
    const headers = { ...framing.headers, 'cache-control': 'no-store', ...cors };
    res.writeHead(200, headers).end(`:${code}\n${framing.farewell(retryMs)}`);
  }
}
