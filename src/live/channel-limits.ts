import { createHash } from 'node:crypto';
import type { ErrorCode } from '../shared/errors.ts';
import { Tally } from '../shared/tally.ts';
import type { Endpoint } from './endpoint.ts';
import type { LimitLog } from './limit-log.ts';
import type { Wanted } from './wanted.ts';

/** How many channels there may be at once. */
export interface ChannelLimitsOptions {
  /** That were first asked for by one client address. */
  readonly channelsPerAddress: number;
  readonly channelsPerEndpoint: number;
  /** Different things that one endpoint is asked for, whoever asks. */
  readonly queriesPerEndpoint: number;
}

/** Gives a channel's places back. */
export type Release = () => void;

interface Row {
  readonly limit: keyof ChannelLimitsOptions;
  readonly isReached: boolean;
  readonly code: ErrorCode;
  readonly fields: object;
}

/**
 * Counts open channels by who has asked for them and what they are of.
 *
 * SECURITY: each channel is memory here and polls at the site: one client that asks for ever other
 * queries must not take all of them.
 */
export class ChannelLimits {
  readonly #limits: ChannelLimitsOptions;
  readonly #log: LimitLog;
  readonly #byAddress = new Tally<string>();
  readonly #queries = new Map<Endpoint, Tally<string>>();

  constructor(limits: ChannelLimitsOptions, log: LimitLog) {
    this.#limits = limits;
    this.#log = log;
  }

  /**
   * Take the places of a channel.
   *
   * @param address - Of the client who asks for it first.
   * @returns the reason when there is none.
   */
  take(wanted: Wanted, address: string): Release | ErrorCode {
    const { endpoint } = wanted;
    const queries = this.#queries.get(endpoint) ?? new Tally<string>();
    const query = queryOf(wanted);
    const reached = this.#rows(endpoint, queries, query, address).find((row) => row.isReached);
    if (reached) {
      this.#log.onReached(reached.limit, reached.fields);
      return reached.code;
    }
    this.#byAddress.add(address);
    queries.add(query);
    this.#queries.set(endpoint, queries);
    return () => {
      this.#byAddress.remove(address);
      queries.remove(query);
    };
  }

  #rows(endpoint: Endpoint, queries: Tally<string>, query: string, address: string): Row[] {
    const { channelsPerAddress, channelsPerEndpoint, queriesPerEndpoint } = this.#limits;
    const ofEndpoint = { code: 'TOO_MANY_CHANNELS', fields: { endpoint: endpoint.name } } as const;
    return [
      {
        limit: 'channelsPerAddress',
        isReached: this.#byAddress.of(address) >= channelsPerAddress,
        code: 'TOO_MANY_CHANNELS_FOR_ADDRESS',
        fields: { address },
      },
      {
        limit: 'channelsPerEndpoint',
        isReached: queries.total >= channelsPerEndpoint,
        ...ofEndpoint,
      },
      {
        limit: 'queriesPerEndpoint',
        isReached: queries.of(query) === 0 && queries.size >= queriesPerEndpoint,
        ...ofEndpoint,
      },
    ];
  }
}

/** What is asked for, in few bytes. */
function queryOf({ target, content }: Wanted): string {
  if (!content) return target;
  return `${target} ${createHash('sha256').update(content.bytes).digest('base64')}`;
}
