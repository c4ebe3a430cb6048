import type { ChannelReport, Explanation, ShadowReport } from '../shared/explanation.ts';
import { about, counted } from './quantities.ts';

/** What follows from an explanation for somebody who wonders why a page gets no pushes. */
export function adviceOn(explanation: Explanation): string[] {
  const { route, sharing, shadow, channel, channelsOfEndpoint } = explanation;
  const isAlive = channelsOfEndpoint !== undefined || channel !== undefined;
  // The config alone says nothing of what happens now.
  if (route !== 'live' || !isAlive) return [];
  return [
    ...(sharing?.personal === undefined
      ? []
      : [
          `nobody shares its polls now: ${sharing.personal}; each client's request goes to the site`,
        ]),
    ...(shadow ? adviceOnShadow(shadow) : []),
    ...adviceOnQuestion(sharing?.missing ?? []),
    ...(channel ? adviceOnChannel(channel) : adviceWithoutChannel(explanation)),
  ];
}

function adviceOnShadow({ requests, matched, mismatched }: ShadowReport): string[] {
  const compared = matched + mismatched;
  if (requests === 0) return ['"shadow" has nothing to compare yet: no plain request has come'];
  if (compared === 0) return ['"shadow" could compare no answer yet'];
  if (mismatched === 0) {
    return [`${counted(compared, 'answer')} compared, all as the state: "shadow" can be left out`];
  }
  return [
    `${mismatched} of ${compared} answers were none of the states: find out why ("vary", "select", "ignore") before "shadow" is left out`,
  ];
}

function adviceOnQuestion(missing: readonly string[]): string[] {
  const parts = missing.filter((part) => part !== 'host');
  const advice: string[] = [];
  if (parts.length < missing.length) {
    advice.push('the host is part of the key: name the URL as browsers have it, with its scheme');
  }
  if (parts.length > 0) {
    const wanted = parts.join(' and no ');
    advice.push(`the request has no ${wanted}: clients that have one are on other channels (-H)`);
  }
  return advice;
}

function adviceWithoutChannel({ siblings = [] }: Explanation): string[] {
  if (siblings.length === 0) {
    return ['nobody wants this URL now, so it is not polled: no stream of it reaches this proxy'];
  }
  const parts = [...new Set(siblings.flatMap(({ differsIn }) => differsIn))];
  const where = parts.length > 0 ? ` that differ in ${parts.join(', ')}` : '';
  return [`nobody wants this URL with this request; others do, with requests${where}`];
}

function adviceOnChannel(channel: ChannelReport): string[] {
  const { lastPoll, failures, isStale, subscribers, lastChangeAgoMs } = channel;
  const listening = Object.values(subscribers).reduce((sum, count) => sum + count, 0);
  if (lastPoll?.outcome === 'ended') return ['it has ended: its streams were closed'];
  if (isStale || failures > 0) {
    const told = isStale ? ', and subscribers were told that the state is stale' : '';
    return [`${counted(failures, 'poll')} in a row failed${told}; look at the site first`];
  }
  if (listening === 0) return ['nobody streams it: it is kept for plain requests, or lingers'];
  if (!lastPoll && channel.polledBy !== 'another node') {
    return ['the first poll is under way: pushes begin when it ends'];
  }
  if (lastPoll?.outcome === 'changed') return ['all is well: what changed was pushed'];
  const since = lastChangeAgoMs === undefined ? '' : ` for ${about(lastChangeAgoMs)}`;
  return [`all is well: nothing has changed${since}, so there is nothing to push`];
}
