import type { Comparison } from '../poll/fingerprint.ts';
import { fingerprint } from '../poll/fingerprint.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import { answerWithId } from './answer-with-id.ts';
import type { Endpoint } from './endpoint.ts';

/** What of an answer is compared. */
export interface Comparable {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
}

/** A snapshot as the answer that it is given as. */
export function comparableOf({ status = 200, headers, data }: ChannelEvent): Comparable {
  return { status, type: headers['content-type'] ?? '', body: data };
}

/**
 * A short text that is equal for two answers when nothing that counts as a change differs between
 * them. Of calls with ids each caller gets its own.
 */
export function markOf({ status, type, body }: Comparable, { config }: Endpoint): string {
  const comparison: Comparison = config;
  const data = config.rpc ? answerWithId(body, '0') : body;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  // 203 is 200 by way of somebody who has changed it.
  return `${status === 203 ? 200 : status} ${fingerprint(bytes, type, comparison)}`;
}
