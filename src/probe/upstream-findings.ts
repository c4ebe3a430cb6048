import type { UpstreamProbe } from '../shared/probe-report.ts';
import { failureWords } from './failure-words.ts';
import type { Reached } from './reach.ts';

/** What follows from how far it went with one upstream. */
export function upstreamProbe(
  { name, url }: Pick<UpstreamProbe, 'name' | 'url'>,
  { connectMs, tls, status, tookMs, error }: Reached,
): UpstreamProbe {
  const facts = {
    name,
    url,
    ...(connectMs === undefined ? {} : { connectMs: Math.round(connectMs) }),
    ...(tls === undefined ? {} : { tls }),
  };
  if (status === undefined) {
    const { code, text } = failureWords(error);
    // Comet servers may take their time with a request that is none of theirs.
    const isSlowMount = connectMs !== undefined && name !== 'site';
    const level = isSlowMount ? 'warning' : 'problem';
    return { ...facts, findings: [{ level, code, text }] };
  }
  const answered = { ...facts, status, tookMs: Math.round(tookMs) };
  if (status < 500) return { ...answered, findings: [] };
  const text = `it answers ${status}: it is there, but cannot serve this`;
  return { ...answered, findings: [{ level: 'warning', code: 'server-error', text }] };
}
