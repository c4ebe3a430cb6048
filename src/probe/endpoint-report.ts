import type { Endpoint } from '../live/endpoint.ts';
import type { Wanted } from '../live/wanted.ts';
import type { PersonalPolicy } from '../poll/personal.ts';
import { unkeyedVary } from '../poll/personal.ts';
import { redactUrl } from '../shared/logger.ts';
import type { AnswerProbe, EndpointProbe, Finding } from '../shared/probe-report.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { answerFindings, hasState } from './answer-findings.ts';
import type { Reply } from './ask.ts';
import { findChange, isSameState } from './change.ts';
import { varyLine } from './config-line.ts';
import { failureWords } from './failure-words.ts';
import { isVaryEntry, unkeyedParts } from './given-headers.ts';
import type { Observed } from './observe.ts';
import { sharingFindings } from './sharing-findings.ts';
import { validatorFinding, validatorNames } from './validator-findings.ts';

/** One URL that was probed. */
export interface Probed {
  readonly wanted: Pick<Wanted, 'endpoint' | 'url'>;
  /** What the answers to these polls may say and be shared all the same. */
  readonly policy: PersonalPolicy;
  readonly given: RawHeaders;
  /** Between the first polls and the second. */
  readonly apartMs: number;
}

/** What follows from the answers. */
export function endpointReport(probed: Probed, observed: Observed): EndpointProbe {
  const { wanted, policy, given, apartMs } = probed;
  const { name, config, isPrivate, keyed } = wanted.endpoint;
  const { method } = config;
  const isClient = observed.client.length > 0;
  const polls = isClient ? observed.client : observed.nobody;
  const [first, second] = polls;
  const unkeyed = unkeyedParts(given, keyed);
  const varied = variedOn(polls, policy);
  const line = varyLine(config.vary, [...unkeyed, ...varied]);
  const { minMs: everyMs } = config.every;
  const [request] = observed.request;
  const context = { isPrivate, isClient, everyMs, request, varyLine: line };
  const states = hasState(first) && hasState(second) ? ([first, second] as const) : undefined;
  const change = states && findChange(states, config, apartMs);
  return {
    endpoint: name,
    method,
    url: redactUrl(wanted.url),
    answers: [
      ...observed.nobody.map((reply) => answerProbe('nobody', reply)),
      ...observed.client.map((reply) => answerProbe('client', reply)),
      ...observed.request.map((reply) => answerProbe('request', reply)),
    ],
    findings: {
      answer: answerFindings(polls, context),
      validators:
        states && method === 'GET'
          ? [validatorFinding(states, observed.conditional, isSameState(...states, config))]
          : [],
      change: change ? [change.finding] : [],
      sharing: sharingFindings(observed, {
        isPrivate,
        key: config.authorizedBy.length > 0 ? 'authorizedBy' : 'vary',
        policy,
        change: change ?? { comparison: config, isNamed: true },
        unkeyed,
        varyLines: { said: varyLine(config.vary, varied), needed: line },
      }),
    },
  };
}

/** An endpoint of which nothing was asked. */
export function notProbed({ name, pattern, config }: Endpoint, why: string): EndpointProbe {
  const finding: Finding = { level: 'note', code: 'not-probed', text: `not probed: ${why}` };
  const findings = { answer: [finding], validators: [], change: [], sharing: [] };
  return { endpoint: name, method: config.method, url: pattern.source, answers: [], findings };
}

function variedOn(polls: readonly Reply[], policy: PersonalPolicy): string[] {
  const names = polls.filter(hasState).flatMap(({ answer }) => unkeyedVary(answer, policy));
  return names.filter(isVaryEntry);
}

function answerProbe(as: AnswerProbe['as'], reply: Reply): AnswerProbe {
  const tookMs = Math.round(reply.tookMs);
  if (reply.kind === 'failed') {
    const status = reply.status === undefined ? {} : { status: reply.status };
    return { as, tookMs, ...status, failure: failureWords(reply.error).text };
  }
  const { answer, bytes } = reply;
  const contentType = answer.headers.get('content-type');
  const names = answer.setCookies.map((line) => line.split('=', 1)[0]?.trim().slice(0, 100) ?? '');
  return {
    as,
    tookMs,
    status: answer.status,
    ...(contentType === undefined ? {} : { contentType }),
    bytes,
    isCompressed: answer.headers.has('content-encoding'),
    validators: validatorNames(answer),
    setsCookies: [...new Set(names)],
  };
}
