import { createHash } from 'node:crypto';
import type { Clock } from '../shared/clock.ts';

/** One of several equal servers. */
export interface Member {
  /** Stays the same over restarts. */
  readonly id: string;
}

/** For how long a server that could not be reached is left out. */
const OUT_MS = 10_000;

/** One may be a race with a kept connection; so many without an answer in between are none. */
const MAX_RESETS = 3;

/** A short name for one server, for cookies. Whoever guesses its URL can tell that it is this one. */
export function memberId(url: URL): string {
  return createHash('sha256').update(url.href).digest('base64url').slice(0, 12);
}

/**
 * Chooses among servers that each keep the sessions of their clients: the same client gets the same
 * server while it can be reached, and when it cannot, its clients spread over the others.
 */
export class Balancer<M extends Member> {
  readonly #members: readonly M[];
  readonly #clock: Clock;
  readonly #outUntil = new Map<string, number>();
  readonly #resets = new Map<string, number>();

  constructor(members: readonly M[], clock: Clock) {
    this.#members = members;
    this.#clock = clock;
  }

  /** The server with this id, if there is one. */
  find(id: string | undefined): M | undefined {
    return this.#members.find((member) => member.id === id);
  }

  /**
   * All servers in the order in which they are to be tried: `preferred` first, then as their ids
   * and `key` say (rendezvous hashing); those that failed a moment ago last.
   */
  order(key: string, preferred?: M): M[] {
    if (this.#members.length === 1) return [...this.#members];
    const weighed = this.#members
      .map((member) => ({
        member,
        isOut: this.#isOut(member),
        weight: member === preferred ? Infinity : weight(key, member.id),
      }))
      .sort((a, b) => Number(a.isOut) - Number(b.isOut) || b.weight - a.weight);
    return weighed.map(({ member }) => member);
  }

  /** A server could not be reached. */
  markOut(member: M): void {
    this.#outUntil.set(member.id, this.#clock.now() + OUT_MS);
  }

  /** A server has ended a connection instead of answering. */
  markReset(member: M): void {
    const resets = (this.#resets.get(member.id) ?? 0) + 1;
    this.#resets.set(member.id, resets);
    if (resets >= MAX_RESETS) this.markOut(member);
  }

  /** A server has answered. */
  markIn(member: M): void {
    this.#outUntil.delete(member.id);
    this.#resets.delete(member.id);
  }

  #isOut(member: M): boolean {
    return (this.#outUntil.get(member.id) ?? -Infinity) > this.#clock.now();
  }
}

function weight(key: string, id: string): number {
  return createHash('sha256').update(`${id}\0${key}`).digest().readUIntBE(0, 6);
}
