import type { Channel } from '../channel/channel.ts';
import type { Ended, PollOutcome } from '../poll/detect.ts';
import { staleId } from '../protocol/cursor.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import { controlEvent } from '../protocol/event.ts';
import type { Logger } from '../shared/logger.ts';

/** Whose end is logged. */
export interface Ending {
  readonly channel: Channel;
  readonly log: Logger;
  /** How the log names the channel; holds no secret. */
  readonly label: Readonly<Record<string, string>>;
}

/** What is told of the end of a channel. */
export function lastWord({ word, status, reason }: Ended): ChannelEvent {
  return controlEvent(word, undefined, { status, ...(reason === undefined ? {} : { reason }) });
}

/** Log the end of a channel; what is `personal` is told for the whole endpoint. */
export function logLastWord(
  { word, status, detail }: Ended,
  { channel, log, label }: Ending,
): void {
  // A client that was never let in is the site's own everyday business.
  const level = channel.subscriberCount > 0 ? 'info' : 'debug';
  if (word !== 'personal') log[level]({ ...label, status }, `${word}: ${detail}`);
}

/**
 * What is told of a poll that has failed.
 *
 * @param state - The id of the state that clients have, if they have one.
 */
export function staleWord(
  { error, status }: PollOutcome & { readonly kind: 'failed' },
  state: string | undefined,
): ChannelEvent {
  const told = status === undefined ? {} : { status };
  return controlEvent('stale', staleId(state), { code: error.code, ...told });
}
