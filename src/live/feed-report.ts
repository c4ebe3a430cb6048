import type { Channel } from '../channel/channel.ts';
import type { PollerReport } from '../poll/poller.ts';
import type { ChannelReport, PollRecord } from '../shared/explanation.ts';

/** What is known of a feed. */
export interface KnownOfFeed {
  readonly channel: Pick<Channel, 'bytes' | 'eventsInLog' | 'subscribersByTransport' | 'isStale'>;
  readonly polls: PollerReport | undefined;
  readonly everyMs: number;
  readonly openedAt: number;
  readonly changedAt: number | undefined;
  readonly isPolledHere: boolean;
  readonly now: number;
}

/** How a channel is doing. */
export function reportOf(known: KnownOfFeed): ChannelReport {
  const { channel, polls, everyMs, openedAt, changedAt, isPolledHere, now } = known;
  const ago = (at: number) => Math.max(0, Math.round(now - at));
  const last = polls?.last;
  const nextAt = polls?.nextAt;
  return {
    openedAgoMs: ago(openedAt),
    intervalMs: Math.round(polls?.intervalMs ?? everyMs),
    failures: polls?.failures ?? 0,
    isStale: channel.isStale,
    bytes: channel.bytes,
    eventsInLog: channel.eventsInLog,
    subscribers: channel.subscribersByTransport,
    polledBy: isPolledHere ? 'this node' : 'another node',
    ...(last ? { lastPoll: pollRecord(last, ago(last.at + last.tookMs)) } : {}),
    ...(nextAt === undefined ? {} : { nextPollInMs: Math.max(0, Math.round(nextAt - now)) }),
    ...(changedAt === undefined ? {} : { lastChangeAgoMs: ago(changedAt) }),
  };
}

function pollRecord(
  { outcome, tookMs }: NonNullable<PollerReport['last']>,
  agoMs: number,
): PollRecord {
  const { kind } = outcome;
  const detail =
    kind === 'failed' ? outcome.error.message : kind === 'ended' ? outcome.detail : undefined;
  const status = kind === 'failed' || kind === 'ended' ? outcome.status : undefined;
  return {
    agoMs,
    outcome: kind,
    tookMs: Math.round(tookMs),
    ...(status === undefined ? {} : { status }),
    ...(detail === undefined ? {} : { detail }),
  };
}
