import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { probeText } from '../../src/commands/probe-text.ts';
import type { AnswerProbe, EndpointProbe, ProbeReport } from '../../src/shared/probe-report.ts';

const answer = (as: AnswerProbe['as'], tookMs: number, more: Partial<AnswerProbe> = {}) => ({
  as,
  tookMs,
  status: 200,
  contentType: 'application/json',
  bytes: 1_240,
  isCompressed: true,
  validators: [],
  setsCookies: [],
  ...more,
});
const NOTHING: EndpointProbe['findings'] = { answer: [], validators: [], change: [], sharing: [] };

const REPORT: ProbeReport = {
  upstreams: [
    { name: 'site', url: 'http://127.0.0.1:3000/', status: 200, tookMs: 12, findings: [] },
    {
      name: 'comet /chat/',
      url: 'https://push.example.net/bayeux/',
      status: 400,
      tls: 'TLSv1.3',
      tookMs: 31,
      findings: [],
    },
  ],
  endpoints: [
    {
      endpoint: '/api/status',
      method: 'GET',
      url: '/api/status',
      answers: [answer('nobody', 12), answer('nobody', 9), answer('request', 10)],
      findings: {
        ...NOTHING,
        validators: [{ level: 'note', code: 'not-modified', text: 'weak ETag, answered by 304' }],
        change: [
          {
            level: 'note',
            code: 'changes',
            text: 'it differs within 2s, in these parts; where they do not count:',
            config: '"ignore": ["/generatedAt"]',
          },
        ],
        sharing: [
          {
            level: 'warning',
            code: 'depends-on-who-asks',
            text: 'it depends on who asks: it is another one with cookie:SESSION, which polls do not carry',
            config: '"vary": ["cookie:SESSION"]',
          },
        ],
      },
    },
    {
      endpoint: '/api/orders/:id',
      method: 'GET',
      url: '/api/orders/:id',
      answers: [],
      findings: {
        ...NOTHING,
        answer: [
          {
            level: 'note',
            code: 'not-probed',
            text: 'not probed: give a URL of it with --url',
          },
        ],
      },
    },
  ],
  findings: [],
};

test('a report is aligned text: upstreams, each URL, the verdict', () => {
  assert.equal(
    probeText(REPORT),
    `site          http://127.0.0.1:3000/ answers 200 in 12ms
comet /chat/  https://push.example.net/bayeux/ answers 400 in 31ms over TLSv1.3

/api/status
nobody      200 application/json, 1.2 KiB, gzip, 12ms and 9ms
request     200 application/json, 1.2 KiB, gzip, 10ms
validators  weak ETag, answered by 304
changes     it differs within 2s, in these parts; where they do not count:
            "ignore": ["/generatedAt"]
sharing     warning: it depends on who asks: it is another one with cookie:SESSION, which polls do not carry
            "vary": ["cookie:SESSION"]

/api/orders/:id
answer  not probed: give a URL of it with --url

1 URL probed, 1 not probed: 1 warning`,
  );
});

test('the documentation shows what is printed', () => {
  const file = new URL('../../docs/operations.md', import.meta.url);
  assert.ok(readFileSync(file, 'utf8').includes(probeText(REPORT)));
});

const [STATUS] = REPORT.endpoints;
const withAnswers = (...answers: readonly AnswerProbe[]) =>
  probeText({ ...REPORT, endpoints: STATUS ? [{ ...STATUS, answers }] : [] });

test('answers that differ have a line each', () => {
  const text = withAnswers(
    answer('nobody', 1),
    answer('nobody', 2, { status: 503, setsCookies: ['a', 'b'] }),
    { as: 'client', tookMs: 5_000, failure: 'no connection' },
    { as: 'client', tookMs: 3, status: 200, failure: 'the gzip data is broken' },
  );
  assert.match(text, /^nobody {6}200 app.*, 1ms\n {12}503 app.*, gzip, sets a, b, 2ms$/m);
  assert.match(text, /^client {6}no answer, 5s\n {12}200, unreadable, 3ms$/m);
});

test('a URL that is not its pattern has both, and a method that is not GET', () => {
  const [endpoint] = REPORT.endpoints;
  assert.ok(endpoint);
  const endpoints = [{ ...endpoint, endpoint: '/api/*', method: 'POST' }];
  assert.match(probeText({ ...REPORT, endpoints }), /^POST \/api\/status \(\/api\/\*\)$/m);
});

test('what a site has put into a text cannot steer the terminal', () => {
  const contentType = 'text/\u001b]0;owned\u0007\u001b[2J\r\nhtml\u202e\u009b31m';
  for (const line of withAnswers(answer('nobody', 1, { contentType })).split('\n')) {
    assert.doesNotMatch(line, /\p{Cc}|\p{Cf}/u);
  }
});
