import type { Downstream } from '../shared/downstream.ts';
import { ownOrigin } from '../shared/downstream.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Gate } from '../transport/gate.ts';
import type { Exchange } from './exchange.ts';
import type { LimitLog } from './limit-log.ts';
import { StreamLimits } from './stream-limits.ts';

/** Who may open streams, and how many. */
export interface AdmissionOptions {
  /** Other origins that may read streams. */
  readonly origins: readonly string[];
  readonly limits: { readonly streams: number; readonly streamsPerAddress: number };
  readonly limitLog: LimitLog;
  readonly buffered: { readonly isFull: boolean };
}

const REACHED: { readonly [code in ErrorCode]?: string } = {
  TOO_MANY_STREAMS: 'streams',
  TOO_MANY_FOR_ADDRESS: 'streamsPerAddress',
};

/** Gives a seat back. It may be called more than once. */
export type Leave = () => void;

/** Lets streams in: by where the request comes from, and while there is room. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #limits: StreamLimits;
  #isClosed = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#limits = new StreamLimits(options.limits);
  }

  /**
   * May the sender of this request read events?
   *
   * @param claimed - The origin that the request's URL names.
   * @returns The origin of the page that reads, if it is not our own.
   * @throws {ProxyError} when it may not.
   */
  check({ req, downstream }: Exchange, gate: Gate, claimed?: string): string | undefined {
    const own = ownOrigin(downstream);
    const result = gate(req.rawHeaders, { own, allowed: this.#options.origins, claimed });
    if (result.kind === 'refused') throw new ProxyError(result.code);
    return result.foreign;
  }

  /** Take a seat for a stream. @throws {ProxyError} when there is none. */
  enter({ address }: Downstream): Leave {
    if (!this.#isClosed && this.#options.buffered.isFull) throw new ProxyError('NO_ROOM');
    const refused = this.#isClosed ? 'DRAINING' : this.#limits.take(address);
    if (refused) {
      const limit = REACHED[refused];
      if (limit) this.#options.limitLog.onReached(limit, { address });
      throw new ProxyError(refused);
    }
    let isIn = true;
    return () => {
      if (isIn) this.#limits.release(address);
      isIn = false;
    };
  }

  /** Let nobody in any more. */
  close(): void {
    this.#isClosed = true;
  }
}
