import type { ErrorCode } from '../shared/errors.ts';
import { Tally } from '../shared/tally.ts';
import type { Trust } from './identify-downstream.ts';

/** How many connections there may be at once, over all listeners. */
export interface ConnectionLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** What becomes of a new connection. */
export type Admission =
  | { readonly kind: 'welcome'; leave(): void }
  /** Its request is answered with this error. */
  | { readonly kind: 'refused'; readonly code: ErrorCode; leave(): void }
  /** SECURITY: even telling it would cost too much: it is cut. */
  | { readonly kind: 'cut' };

/** Refused connections that may wait for their answer at once: a share of the limit, and no fewer. */
const REFUSED_SHARE = 1 / 16;
const MIN_REFUSED = 64;

/** The connections of one proxy. */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #isTrusted: Trust;
  readonly #maxRefused: number;
  readonly #perAddress = new Tally<string>();
  #welcome = 0;
  #refused = 0;

  constructor(limits: ConnectionLimits, isTrusted: Trust) {
    this.#limits = limits;
    this.#isTrusted = isTrusted;
    this.#maxRefused = Math.max(MIN_REFUSED, Math.floor(limits.connections * REFUSED_SHARE));
  }

  /** Connections open now, refused ones too. */
  get size(): number {
    return this.#welcome + this.#refused;
  }

  /**
   * Take a connection in, until its `leave` is called.
   *
   * @param address - Of the client; `undefined` on a unix socket, where nobody can be told apart.
   */
  enter(address: string | undefined): Admission {
    const code = this.#objection(address);
    if (code === undefined) {
      this.#welcome += 1;
      if (address !== undefined) this.#perAddress.add(address);
    } else {
      if (this.#refused >= this.#maxRefused) return { kind: 'cut' };
      this.#refused += 1;
    }
    let isIn = true;
    const leave = () => {
      if (!isIn) return;
      isIn = false;
      if (code !== undefined) {
        this.#refused -= 1;
        return;
      }
      this.#welcome -= 1;
      if (address !== undefined) this.#perAddress.remove(address);
    };
    return code === undefined ? { kind: 'welcome', leave } : { kind: 'refused', code, leave };
  }

  #objection(address: string | undefined): ErrorCode | undefined {
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#welcome >= connections) return 'TOO_MANY_CONNECTIONS';
    if (address === undefined || this.#isTrusted(address)) return undefined;
    return this.#perAddress.of(address) >= connectionsPerAddress
      ? 'TOO_MANY_CONNECTIONS_FOR_ADDRESS'
      : undefined;
  }
}
