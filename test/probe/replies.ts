import { checkConfig } from '../../src/config/load.ts';
import { createLivePaths } from '../../src/live/endpoint.ts';
import { personalPolicy } from '../../src/live/personal-policy.ts';
import type { Answered, Reply } from '../../src/probe/ask.ts';
import { endpointReport } from '../../src/probe/endpoint-report.ts';
import type { Observed } from '../../src/probe/observe.ts';
import { ProxyError } from '../../src/shared/errors.ts';
import type { EndpointProbe, Finding } from '../../src/shared/probe-report.ts';

/** What a made answer is of. */
export interface Made {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly setCookies?: readonly string[];
  readonly tookMs?: number;
}

/** An answer with this body: JSON, unless a text. */
export function answered(content: unknown, made: Made = {}): Answered {
  const { status = 200, headers = {}, setCookies = [], tookMs = 12 } = made;
  const isText = typeof content === 'string';
  const body = Buffer.from(isText ? content : JSON.stringify(content));
  const type = { 'content-type': isText ? 'text/html' : 'application/json' };
  const answer = {
    status,
    headers: new Map(Object.entries({ ...type, ...headers })),
    setCookies,
    body,
  };
  return { kind: 'answered', tookMs, answer, body, bytes: body.length };
}

/** A poll without an answer. */
export function failed(error = new ProxyError('UPSTREAM_TIMEOUT', 'no whole answer')): Reply {
  return { kind: 'failed', tookMs: 10, status: undefined, error };
}

/** The report on an endpoint with these settings. @param given - Headers of `-H`. */
export function reported(
  observed: Partial<Observed>,
  settings: Record<string, unknown> = { vary: [] },
  given: readonly string[] = [],
): EndpointProbe {
  const live = { '/a': { every: '2s', ...settings } };
  const config = checkConfig({ site: 'http://127.0.0.1:3000', live }, 'test');
  const endpoint = createLivePaths(config.live)[0]?.endpoints[0];
  if (!endpoint) throw new Error('there is no endpoint');
  const cookie = given[given.indexOf('Cookie') + 1];
  const policy = personalPolicy(endpoint, () =>
    given.includes('Cookie') && cookie !== undefined ? [cookie] : [],
  );
  const probed = { wanted: { endpoint, url: '/a' }, policy, given, apartMs: 2_000 };
  const nothing = { nobody: [], client: [], request: [], conditional: undefined };
  return endpointReport(probed, { ...nothing, ...observed });
}

/** A finding as `level code: text`, and its line for the config. */
export function told(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ level, code, text, config }) => [
    `${level} ${code}: ${text}`,
    ...(config === undefined ? [] : [config]),
  ]);
}
