import type {
  AnswerProbe,
  EndpointProbe,
  Finding,
  ProbeReport,
  UpstreamProbe,
} from '../shared/probe-report.ts';
import { allFindings } from '../shared/probe-report.ts';
import type { Section } from './aligned-lines.ts';
import { alignedLines } from './aligned-lines.ts';
import { printable } from './printable.ts';
import { about, counted, sizeText } from './quantities.ts';

/** What was found at the upstreams, for people: aligned, without a line break at its end. */
export function probeText(report: ProbeReport): string {
  const blocks = [
    alignedLines(report.upstreams.map(upstreamSection)),
    ...report.endpoints.map((endpoint) => [
      titleOf(endpoint),
      ...alignedLines(endpointSections(endpoint)),
    ]),
    [...report.findings.flatMap(findingLines), verdictText(report)],
  ];
  return blocks.map((lines) => lines.map(printable).join('\n')).join('\n\n');
}

function upstreamSection(upstream: UpstreamProbe): Section {
  const { name, url, status, tookMs = 0, connectMs, tls, findings } = upstream;
  const way = tls === undefined ? '' : ` over ${tls}`;
  const facts =
    status !== undefined
      ? [`answers ${status} in ${about(tookMs)}${way}`]
      : connectMs !== undefined
        ? [`takes connections${way}`]
        : [];
  return { title: name, lines: [[url, ...facts].join(' '), ...findings.flatMap(findingLines)] };
}

function titleOf({ endpoint, method, url }: EndpointProbe): string {
  const request = method === 'GET' ? url : `${method} ${url}`;
  return url === endpoint ? request : `${request} (${endpoint})`;
}

function endpointSections({ answers, findings }: EndpointProbe): Section[] {
  return [
    { title: 'nobody', lines: answerLines(answers, 'nobody') },
    { title: 'client', lines: answerLines(answers, 'client') },
    { title: 'request', lines: answerLines(answers, 'request') },
    { title: 'answer', lines: findings.answer.flatMap(findingLines) },
    { title: 'validators', lines: findings.validators.flatMap(findingLines) },
    { title: 'changes', lines: findings.change.flatMap(findingLines) },
    { title: 'sharing', lines: findings.sharing.flatMap(findingLines) },
  ];
}

/** Of answers that are alike one line tells. */
function answerLines(answers: readonly AnswerProbe[], as: AnswerProbe['as']): string[] {
  const times = new Map<string, string[]>();
  for (const answer of answers) {
    if (answer.as !== as) continue;
    const text = answerText(answer);
    times.set(text, [...(times.get(text) ?? []), about(answer.tookMs)]);
  }
  return [...times].map(([text, took]) => `${text}, ${took.join(' and ')}`);
}

function answerText(answer: AnswerProbe): string {
  const { status, failure, contentType, bytes = 0, isCompressed, setsCookies = [] } = answer;
  if (failure !== undefined) return status === undefined ? 'no answer' : `${status}, unreadable`;
  const parts = [
    `${status ?? ''} ${contentType ?? 'without a type'}`.trim(),
    sizeText(bytes),
    isCompressed ? 'gzip' : 'no gzip',
    ...(setsCookies.length > 0 ? [`sets ${setsCookies.join(', ')}`] : []),
  ];
  return parts.join(', ');
}

function findingLines({ level, text, config }: Finding): string[] {
  const line = level === 'note' ? text : `${level}: ${text}`;
  return config === undefined ? [line] : [line, config];
}

function verdictText(report: ProbeReport): string {
  const urls = report.endpoints.filter(({ answers }) => answers.length > 0).length;
  const left = report.endpoints.length - urls;
  const count = (level: Finding['level']) =>
    allFindings(report).filter((finding) => finding.level === level).length;
  const told = (['problem', 'warning'] as const)
    .filter((level) => count(level) > 0)
    .map((level) => counted(count(level), level));
  const probed = `${counted(urls, 'URL')} probed${left > 0 ? `, ${left} not probed` : ''}`;
  return `${probed}: ${told.join(', ') || 'all is well'}`;
}
