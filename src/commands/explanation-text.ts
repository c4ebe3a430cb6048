import type {
  ChannelReport,
  Explanation,
  InjectReport,
  ShadowReport,
  Sibling,
} from '../shared/explanation.ts';
import type { Section } from './aligned-lines.ts';
import { alignedLines } from './aligned-lines.ts';
import { adviceOn } from './explanation-advice.ts';
import { printable } from './printable.ts';
import { about, counted, sizeText } from './quantities.ts';

/** An explanation for people: aligned, without a line break at its end. */
export function explanationText(explanation: Explanation): string {
  const { url, route, why, endpoint, inject, sharing, shadow } = explanation;
  const sections: Section[] = [
    { title: 'route', lines: [`${route}: ${why}`] },
    { title: 'inject', lines: inject ? [injectText(inject)] : [] },
    { title: 'endpoint', lines: Object.entries(endpoint ?? {}) },
    { title: 'sharing', lines: sharing ? [`${sharing.kind}: ${sharing.reason}`] : [] },
    { title: 'shadow', lines: shadow ? shadowLines(shadow) : [] },
    { title: 'channel', lines: channelLines(explanation) },
    { title: 'others', lines: otherLines(explanation) },
    { title: 'verdict', lines: adviceOn(explanation) },
  ];
  return [url, ...alignedLines(sections)].map(printable).join('\n');
}

function shadowLines({
  requests,
  saved,
  matched,
  mismatched,
  incomparable,
}: ShadowReport): Section['lines'] {
  if (requests === 0) return ['no plain requests since the start'];
  const reasons = Object.entries(incomparable);
  const others = reasons.reduce((sum, [, count]) => sum + count, 0);
  const why = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
  return [
    `${counted(requests, 'plain request')} since the start`,
    ['saved', `${saved} would have been answered from the state`],
    ['matched', `${matched} of those got what the state was`],
    ['mismatched', `${mismatched} got something else`],
    ['not comparable', others === 0 ? '0' : `${others}: ${why}`],
  ];
}

function injectText({ injected, reason }: InjectReport): string {
  return `${injected === 'unknown' ? 'not known yet' : injected}: ${reason}`;
}

function channelLines({ key, channel }: Explanation): Section['lines'] {
  if (!channel) return key === undefined ? [] : [`${key} is not open`];
  const { isStale, eventsInLog, bytes, openedAgoMs } = channel;
  const state = isStale ? 'stale: the site fails' : 'as the last poll found it';
  const held = `${counted(eventsInLog, 'event')} and ${sizeText(bytes)} held`;
  return [
    `${key ?? ''} open for ${about(openedAgoMs)}`.trim(),
    ['subscribers', subscribersText(channel)],
    ['interval', intervalText(channel)],
    ['last poll', lastPollText(channel)],
    ['last change', agoText(channel.lastChangeAgoMs)],
    ['next poll', nextPollText(channel)],
    ['state', `${state}; ${held}`],
  ];
}

function subscribersText({ subscribers }: ChannelReport): string {
  const present = Object.entries(subscribers).filter(([, count]) => count > 0);
  return present.map(([transport, count]) => `${count} by ${transport}`).join(', ') || 'none';
}

function intervalText({ intervalMs, failures }: ChannelReport): string {
  const failing = failures === 0 ? '' : `, longer after ${counted(failures, 'failure')} in a row`;
  return `${about(intervalMs)}${failing}`;
}

function lastPollText({ lastPoll }: ChannelReport): string {
  if (!lastPoll) return 'none has ended yet';
  const { agoMs, outcome, status, tookMs, detail } = lastPoll;
  const answer = status === undefined ? outcome : `${outcome} (${status})`;
  const why = detail === undefined ? '' : `: ${detail}`;
  return `${about(agoMs)} ago, took ${about(tookMs)}, ${answer}${why}`;
}

function agoText(agoMs: number | undefined): string {
  return agoMs === undefined ? 'none known' : `${about(agoMs)} ago`;
}

function nextPollText({ nextPollInMs, polledBy }: ChannelReport): string {
  if (polledBy === 'another node') return 'another node polls';
  return nextPollInMs === undefined ? 'none planned' : `in ${about(Math.max(0, nextPollInMs))}`;
}

function otherLines({ channelsOfEndpoint, siblings = [] }: Explanation): Section['lines'] {
  if (channelsOfEndpoint === undefined) return [];
  const all = `${counted(channelsOfEndpoint, 'channel')} of this endpoint open in all`;
  return [all, ...siblings.map(siblingLine)];
}

function siblingLine({ key, subscribers, differsIn }: Sibling): readonly [string, string] {
  const difference = differsIn.length > 0 ? `, differs in ${differsIn.join(', ')}` : '';
  return [key, `this URL, ${counted(subscribers, 'subscriber')}${difference}`];
}
