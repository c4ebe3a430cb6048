import { personalPolicy } from '../live/personal-policy.ts';
import type { Clock } from '../shared/clock.ts';
import type { EndpointProbe, Finding, ProbeQuestion, ProbeReport } from '../shared/probe-report.ts';
import { endpointReport, notProbed } from './endpoint-report.ts';
import { unsendable } from './given-headers.ts';
import { observeFirst, observeSecond } from './observe.ts';
import type { Plan, PlannedUrl } from './plan.ts';
import type { AskingOptions } from './questions.ts';
import { questionsFor } from './questions.ts';
import type { ReachOptions } from './reach.ts';
import { reach } from './reach.ts';
import { upstreamProbe } from './upstream-findings.ts';

/** One server behind the proxy, and how it is reached. */
export interface ProbedUpstream extends ReachOptions {
  /** `site`, or `comet` with the path of its mount. */
  readonly name: string;
}

/** What is probed, and the way of the polls. */
export interface ProbeOptions extends AskingOptions {
  /** The site is the first. */
  readonly upstreams: readonly ProbedUpstream[];
  readonly plan: Plan;
}

/** Ask the upstreams, and say what follows. Polls go one after the other: old software is slow. */
export async function probe(
  options: ProbeOptions,
  { headers, waitMs }: Pick<ProbeQuestion, 'headers' | 'waitMs'>,
): Promise<ProbeReport> {
  const { clock, plan } = options;
  const upstreams = await Promise.all(
    options.upstreams.map(async (upstream) => {
      const { name, url } = upstream;
      return upstreamProbe({ name, url: url.href }, await reach(upstream, clock));
    }),
  );
  const isThere = upstreams[0]?.connectMs !== undefined;
  const begun = plan.items.map((item) => {
    if (item.kind === 'skipped') return unasked(notProbed(item.endpoint, item.why));
    if (!isThere) return unasked(notProbed(item.wanted.endpoint, 'there is no site'));
    return () => beginUrl(item, options, { headers, waitMs });
  });
  const finishers = await inTurn(begun);
  return { upstreams, endpoints: await inTurn(finishers), findings: remarks(headers, plan) };
}

function unasked(report: EndpointProbe) {
  return async () => async () => report;
}

/** Send the first polls of a URL. @returns what sends the others when it is time for them. */
async function beginUrl(
  planned: PlannedUrl,
  options: ProbeOptions,
  { headers: given, waitMs }: Pick<ProbeQuestion, 'headers' | 'waitMs'>,
): Promise<() => Promise<EndpointProbe>> {
  const { clock } = options;
  const { wanted } = planned;
  const { identity, ...questions } = questionsFor(planned, given, options);
  const first = await observeFirst(questions);
  const askedAt = clock.now();
  return async () => {
    await wait(askedAt + waitMs - clock.now(), clock);
    const observed = await observeSecond(questions, first);
    const policy = personalPolicy(wanted.endpoint, () => identity.forwarded.get('cookie') ?? []);
    return endpointReport({ wanted, policy, given, apartMs: waitMs }, observed);
  };
}

function remarks(given: ProbeQuestion['headers'], { items }: Plan): Finding[] {
  const names = unsendable(given);
  const unsent: Finding[] =
    names.length === 0
      ? []
      : [
          {
            level: 'note',
            code: 'not-sent',
            text: `not sent as given, the proxy says it itself: ${names.join(', ')}`,
          },
        ];
  if (given.length > 0 || !items.some(({ kind }) => kind === 'url')) return unsent;
  const text =
    'without -H nobody can tell whether answers depend on who asks: give the Cookie of a session';
  return [...unsent, { level: 'note', code: 'who-asks-untried', text }];
}

async function inTurn<T>(tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (const task of tasks) results.push(await task());
  return results;
}

function wait(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (ms <= 0) resolve();
    else clock.after(ms, resolve);
  });
}
