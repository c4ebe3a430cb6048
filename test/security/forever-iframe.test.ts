import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { startStates } from '../flow/states-site.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { ask, get, parseAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';

/*
 * The forever iframe is a document of the site's own origin with scripts in it: nothing of a state
 * or of a request may become markup or code there, and no other page may frame it or read from it.
 */

const LISTED = 'https://partner.example';
/** As the raw requests name us. */
const OWN = 'http://site.test';

async function scene(t: TestContext, state = '{"n":1}') {
  const site = await startStates(t, {
    '/x': { headers: { 'content-type': 'text/plain' }, body: state },
  });
  const live = { '/x': { every: '1h', vary: [] } };
  const proxy = await startTestProxy(t, { site: site.url, live, origins: [LISTED] });
  /** Everything until the first event is there; the answer goes on after it. */
  async function open(query = '', ...lines: string[]): Promise<RawAnswer> {
    const peer = connectRaw(t, proxy.port);
    peer.send(get(`/_comet/iframe?url=/x${query}`, ...lines));
    const all = await peer.receive(/"\)<\/script>\n/);
    const answer = parseAnswer(all);
    assert.ok(answer);
    return answer;
  }
  const refused = (query = '', ...lines: string[]) =>
    ask(t, proxy.port, get(`/_comet/iframe?url=/x${query}`, ...lines));
  return { site, open, refused };
}

/** The directives of a policy. */
function policy({ values }: RawAnswer): Map<string, string> {
  const [header = '', ...more] = values('content-security-policy');
  assert.deepEqual(more, []);
  return new Map(
    header.split(';').map((directive): [string, string] => {
      const [name = '', ...sources] = directive.trim().split(' ');
      return [name, sources.join(' ')];
    }),
  );
}

test('the document has no origin, loads nothing, and is framed by our own pages only', async (t) => {
  const { open } = await scene(t);
  const answer = await open();
  const directives = policy(answer);
  assert.equal(directives.get('sandbox'), 'allow-scripts');
  assert.equal(directives.get('default-src'), "'none'");
  assert.equal(directives.get('base-uri'), "'none'");
  assert.equal(directives.get('form-action'), "'none'");
  assert.equal(directives.get('frame-ancestors'), "'self'");
  assert.deepEqual(answer.values('content-type'), ['text/html; charset=utf-8']);
  assert.deepEqual(answer.values('x-content-type-options'), ['nosniff']);
  assert.deepEqual(answer.values('referrer-policy'), ['no-referrer']);
  assert.match(answer.values('cache-control')[0] ?? '', /no-store/);
});

test('the direct form keeps everything but the sandbox', async (t) => {
  const { open } = await scene(t);
  const [sandboxed, direct] = [policy(await open()), policy(await open('&form=direct'))];
  assert.equal(direct.has('sandbox'), false);
  sandboxed.delete('sandbox');
  assert.deepEqual(direct, sandboxed);
});

test('a listed origin may frame it when it names itself, and events are posted to it alone', async (t) => {
  const { open } = await scene(t);
  const origin = `&origin=${encodeURIComponent(LISTED)}`;
  const answer = await open(origin, 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Dest: iframe');
  assert.equal(policy(answer).get('frame-ancestors'), `'self' ${LISTED}`);
  const own = await open();
  for (const [{ body }, target] of [
    [answer, LISTED],
    [own, OWN],
  ] as const) {
    assert.deepEqual(
      posted(body).map(({ to }) => to),
      [target, target],
    );
  }
});

test('a page of ours may name itself as well', async (t) => {
  const { open } = await scene(t);
  const answer = await open(`&origin=${OWN}`, 'Sec-Fetch-Site: same-origin');
  assert.equal(policy(answer).get('frame-ancestors'), "'self'");
});

const REFUSED: readonly [
  who: string,
  query: string,
  lines: readonly string[],
  status: number,
  code: string,
][] = [
  ['an origin that is not listed', '&origin=https%3A%2F%2Fevil.example', [], 403, 'CROSS_SITE'],
  [
    'a listed host by another scheme',
    '&origin=http%3A%2F%2Fpartner.example',
    [],
    403,
    'CROSS_SITE',
  ],
  ['the origin "null"', '&origin=null', [], 400, 'BAD_PARAMETER'],
  [
    'an origin with a path',
    `&origin=${encodeURIComponent(`${LISTED}/a`)}`,
    [],
    400,
    'BAD_PARAMETER',
  ],
  [
    'an origin with a directive',
    `&origin=${encodeURIComponent(`${LISTED}; script-src *`)}`,
    [],
    400,
    'BAD_PARAMETER',
  ],
  ['an origin with a line break', `&origin=${LISTED}%0d%0aX-Evil:1`, [], 400, 'BAD_PARAMETER'],
  ['two origins', `&origin=${LISTED}&origin=${LISTED}`, [], 400, 'BAD_PARAMETER'],
  [
    'a cross-site page that does not name itself',
    '',
    ['Sec-Fetch-Site: cross-site'],
    403,
    'CROSS_SITE',
  ],
  [
    'a sibling site that does not name itself',
    '',
    ['Sec-Fetch-Site: same-site'],
    403,
    'CROSS_SITE',
  ],
  [
    'a cross-site page that names us',
    `&origin=${OWN}`,
    ['Sec-Fetch-Site: cross-site'],
    403,
    'CROSS_SITE',
  ],
  ['a number of a frame that is code', '&frame=1;alert(1)', [], 400, 'BAD_PARAMETER'],
  ['a load as a document of its own', '', ['Sec-Fetch-Dest: document'], 403, 'WRONG_DESTINATION'],
  ['a load by fetch', '', ['Sec-Fetch-Dest: empty'], 403, 'WRONG_DESTINATION'],
];
for (const [who, query, lines, status, code] of REFUSED) {
  test(`${who} is refused by ${status}`, async (t) => {
    const { site, refused } = await scene(t);
    const answer = await refused(query, ...lines);
    assert.equal(answer.status, status);
    assert.ok(answer.body.startsWith(`${code}: `), answer.body);
    assert.deepEqual(answer.values('content-type'), ['text/plain; charset=utf-8']);
    assert.deepEqual(answer.values('x-evil'), []);
    assert.deepEqual(site.requests, []);
  });
}

/** What the scripts of a document post to the page around it. */
function posted(
  html: string,
): { to: string; message: { comet: number; envelope: string | null } }[] {
  const calls: [unknown, string][] = [];
  const parent = { postMessage: (message: unknown, to: string) => void calls.push([message, to]) };
  const page = createContext({ parent, document: { currentScript: null }, alert: assert.fail });
  for (const [, script = ''] of elements(html)) runInContext(script, page);
  return calls.map(([message, to]) => ({
    to,
    message: JSON.parse(JSON.stringify(message)) as { comet: number; envelope: string | null },
  }));
}

/** As a browser finds them: the first `</script` ends an element, whatever it stands in. */
function elements(html: string): RegExpMatchArray[] {
  return [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script/gi)];
}

const STATES: readonly [what: string, state: string][] = [
  ['the end of a script', '</script><script>alert(1)</script>'],
  ['the end of a script in other letters', '</SCRIPT\t><img src=x onerror=alert(1)>'],
  ['a comment that swallows scripts', '<!--<script>'],
  ['the end of a string', '");alert(1);("'],
  ['the end of an escaped string', '\\");alert(1);//'],
  ['line breaks', 'a\nb\r\nc\u2028d\u2029e'],
  ['entities', '&lt;/script&gt;&quot;'],
  ['characters beyond ASCII', 'ü\ud83d\ude00\ufeff\0'],
];
for (const [what, state] of STATES) {
  test(`a state with ${what} stays a text: nothing of it becomes markup or code`, async (t) => {
    const { open } = await scene(t, state);
    const { body } = await open('&frame=7');
    assert.match(body, /^[\n\x20-\x7e]*$/, 'printable ASCII only');
    assert.equal(elements(body).length, 2, 'our own, and that of the event');
    const [first, second, ...more] = posted(body);
    assert.deepEqual([first?.message, more], [{ comet: 7, envelope: null }, []]);
    const { data } = JSON.parse(second?.message.envelope ?? '') as { data: string };
    assert.equal(data, state);
  });
}

test('a URL cannot become markup or code either', async (t) => {
  const { open } = await scene(t);
  const target = `/x?a=</script><script>alert(1)</script>"'`;
  const { body } = await open(`&url=${encodeURIComponent(target)}`);
  assert.ok(posted(body).every(({ to }) => to === OWN));
  assert.doesNotMatch(body, /<script>alert/);
});

test('a Host cannot become code: the target of every message is one origin', async (t) => {
  const { site } = await scene(t);
  const live = { '/x': { every: '1h', vary: [] } };
  const proxy = await startTestProxy(t, { site: site.url, live });
  for (const host of [`a"+alert(1)+"`, 'a;script-src *', "a' *", '*']) {
    const request = get('/_comet/iframe?url=/x').replace('site.test', host);
    const peer = connectRaw(t, proxy.port);
    peer.send(request);
    const all = await peer.receive(/\r\n\r\n[\s\S]*\n/);
    const answer = parseAnswer(all);
    if (answer?.status === 200) {
      assert.equal(policy(answer).get('frame-ancestors'), "'self'", host);
      assert.doesNotMatch(answer.body, /"\+alert/, host);
      assert.doesNotMatch(answer.body, /,"\*"\)/, 'not to everybody');
    } else {
      assert.equal(answer?.status, 400, host);
    }
  }
});

test('a refusal after the gate is told inside of a document with the same policy', async (t) => {
  const { site } = await scene(t);
  const live = { '/x': { every: '1h', vary: [], transports: ['sse'] } };
  const proxy = await startTestProxy(t, { site: site.url, live });
  const answer = await ask(t, proxy.port, get('/_comet/iframe?url=/x'));
  assert.equal(answer.status, 200);
  assert.equal(policy(answer).get('sandbox'), 'allow-scripts');
  const [, { message } = { message: { envelope: '' } }] = posted(answer.body);
  const { event, data } = JSON.parse(message.envelope ?? '') as {
    event: string;
    data: { code: string };
  };
  assert.deepEqual([event, data.code], ['error', 'TRANSPORT_NOT_ALLOWED']);
});
