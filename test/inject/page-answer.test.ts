import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Visit } from './page-visit.ts';
import { injectionOf, visit } from './page-visit.ts';

const HTML = ['Content-Type', 'text/html'];

const PAGES: readonly (readonly [name: string, visit: Visit])[] = [
  ['HTML', { headers: HTML }],
  ['HTML of a charset', { headers: ['content-type', 'TEXT/HTML; Charset=ISO-8859-1'] }],
  ['XHTML', { headers: ['Content-Type', 'application/xhtml+xml; charset=utf-8'] }],
  ['a page that is not there', { status: 404, headers: HTML }],
  ['an error', { status: 500, headers: HTML }],
  ['a question for a password', { status: 401, headers: HTML }],
  ['a page that was made', { status: 201, headers: HTML }],
  ['a compressed page', { headers: [...HTML, 'Content-Encoding', 'gzip'] }],
  [
    'an inline page',
    { headers: [...HTML, 'Content-Disposition', 'inline; filename="attachment"'] },
  ],
  ['a private page', { headers: [...HTML, 'Cache-Control', 'private, x-no-transform'] }],
];
for (const [name, page] of PAGES) {
  test(`it gets the script: ${name}`, () => {
    assert.notEqual(visit(page).body.length, 0);
  });
}

const OTHERS: readonly (readonly [name: string, visit: Visit])[] = [
  ['a picture', { headers: ['Content-Type', 'image/png'] }],
  ['JSON', { headers: ['Content-Type', 'application/json'] }],
  ['plain text', { headers: ['Content-Type', 'text/plain'] }],
  ['XML', { headers: ['Content-Type', 'application/xml'] }],
  ['a picture in XML', { headers: ['Content-Type', 'image/svg+xml'] }],
  ['no type', { headers: [] }],
  ['an empty type', { headers: ['Content-Type', ''] }],
  ['two types', { headers: [...HTML, 'Content-Type', 'text/plain'] }],
  ['nothing', { status: 204, headers: HTML }],
  ['a reset', { status: 205, headers: HTML }],
  ['a part', { status: 206, headers: HTML }],
  ['a redirect', { status: 302, headers: [...HTML, 'Location', '/x'] }],
  ['a choice', { status: 300, headers: HTML }],
  ['a download', { headers: [...HTML, 'Content-Disposition', ' Attachment; filename=a.html'] }],
  ['a stream', { headers: HTML, isStream: true }],
  ['early hints', { status: 103, headers: HTML }],
  ['an upgrade', { status: 101, headers: HTML }],
];
for (const [name, page] of OTHERS) {
  test(`it is no page, and stays as it is without a word: ${name}`, () => {
    const told = injectionOf();
    const headers = [...page.headers, 'ETag', '"x"', 'Content-Length', '5'];
    const seen = visit({ ...page, headers }, told);
    assert.deepEqual(seen.headers, headers);
    assert.deepEqual(seen.body, []);
    assert.deepEqual(told.lines, []);
  });
}

const UNTOUCHED: readonly (readonly [reason: RegExp, headers: string[]])[] = [
  [/no-transform/, [...HTML, 'Cache-Control', 'max-age=5, No-Transform']],
  [/Content-Encoding/, [...HTML, 'Content-Encoding', 'br']],
  [/Content-Encoding/, [...HTML, 'Content-Encoding', 'deflate']],
  [/Content-Encoding/, [...HTML, 'Content-Encoding', 'gzip, br']],
  [/charset/, ['Content-Type', 'text/html; charset=utf-16']],
  [/charset/, ['Content-Type', 'text/html; charset="UTF-32LE"']],
  [/charset/, ['Content-Type', 'text/html; charset=iso-2022-jp']],
  [/script-src/, [...HTML, 'Content-Security-Policy', "script-src 'none'"]],
  [/connect-src/, [...HTML, 'Content-Security-Policy', "connect-src 'none'"]],
];
for (const [reason, headers] of UNTOUCHED) {
  test(`a page in which the script could not be or run stays as it is: ${headers}`, () => {
    const told = injectionOf({ inject: ['/**', '/app/**'] });
    const all = [...headers, 'ETag', '"x"', 'Content-Length', '5'];
    const target = '/app/x;jsessionid=SECRET?token=SECRET';
    for (let i = 0; i < 3; i++) {
      const seen = visit({ headers: all, target }, told);
      assert.deepEqual(seen.headers, all);
      assert.deepEqual(seen.body, []);
    }
    const [line, ...others] = told.lines;
    assert.deepEqual([line?.level, others], ['warn', []], 'it is said once');
    assert.match(line?.message ?? '', reason);
    assert.equal(line?.fields['inject'], '/app/**');
    assert.doesNotMatch(JSON.stringify(line), /SECRET/);
    visit({ headers: all, target: '/other' }, told);
    assert.equal(told.lines.length, 2, 'once for each pattern');
    const report = told.injection.explain('/app/x?y');
    assert.equal(report.injected, 'no');
    assert.match(report.reason, reason);
  });
}

test('of a page it is known whether it was sent with the script', () => {
  const { injection } = injectionOf({ inject: ['/app/**'] });
  const other = { injected: 'no', reason: 'the path matches no pattern of "inject"' };
  assert.deepEqual(injection.explain('/'), other);
  assert.deepEqual(injection.explain('/app/x'), {
    injected: 'unknown',
    reason: 'the path matches "/app/**", but no page was sent',
  });
});
