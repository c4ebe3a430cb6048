import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageRequest } from '../../src/passthrough/inject/page-request.ts';
import { parsePattern } from '../../src/shared/path-pattern.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

/** What is known of a request: it navigates, it may, or it loads no page. */
function asked(headers: readonly string[], method = 'GET', target = '/app/x?y=1'): string {
  const patterns = [parsePattern('/app/**')];
  const request = pageRequest({ method, headers, target }, patterns);
  if (!request) return 'no page';
  return request.isNavigation ? 'navigates' : 'may navigate';
}

const REQUESTS: readonly (readonly [verdict: string, headers: readonly string[]])[] = [
  ['navigates', ['Sec-Fetch-Dest', 'document']],
  ['navigates', ['Sec-Fetch-Dest', 'iframe', 'Accept', '*/*']],
  ['navigates', ['sec-fetch-dest', 'FRAME']],
  ['no page', ['Sec-Fetch-Dest', 'empty', 'Accept', BROWSER]],
  ['no page', ['Sec-Fetch-Dest', 'image', 'Accept', BROWSER]],
  ['no page', ['Sec-Fetch-Dest', 'embed', 'Accept', BROWSER]],
  ['no page', ['Sec-Fetch-Dest', 'documents', 'Accept', BROWSER]],
  // Over plain http.
  ['navigates', ['Accept', BROWSER, 'Upgrade-Insecure-Requests', '1']],
  ['may navigate', ['Accept', BROWSER]],
  ['may navigate', ['Accept', 'image/png', 'accept', 'TEXT/HTML;q=0.5']],
  ['may navigate', ['Accept', 'text/html;level=1;q=0.1']],
  ['no page', ['Accept', 'text/html;q=0']],
  ['no page', ['Accept', 'text/html ; q=0.000 , */*']],
  ['no page', ['Accept', '*/*']],
  ['no page', ['Accept', 'text/htmlx, xtext/html']],
  ['no page', []],
  ['no page', ['Accept', BROWSER, 'X-Requested-With', 'XMLHttpRequest']],
  ['no page', ['Accept', 'text/html, */*; q=0.01', 'x-requested-with', '']],
  ['no page', ['Accept', 'text/html', 'X-PJAX', 'true']],
  ['no page', ['Accept', 'text/html', 'HX-Request', 'true']],
  // A part.
  ['no page', ['Sec-Fetch-Dest', 'document', 'Range', 'bytes=0-']],
];
for (const [verdict, headers] of REQUESTS) {
  test(`a request with ${JSON.stringify(headers)}: ${verdict}`, () => {
    assert.equal(asked(headers), verdict);
  });
}

test('GET and HEAD load pages, others do something else', () => {
  const headers = ['Sec-Fetch-Dest', 'document'];
  assert.equal(asked(headers, 'HEAD'), 'navigates');
  for (const method of ['POST', 'PUT', 'OPTIONS', 'get']) {
    assert.equal(asked(headers, method), 'no page', method);
  }
});

const TARGETS: Record<string, boolean> = {
  '/app/': true,
  '/app/x/y.html': true,
  '/app/x;jsessionid=1A2B?y': true,
  '/app;jsessionid=1A2B/x': true,
  '/app': true,
  '/apps/': false,
  '/other/': false,
  '/?/app/x': false,
  '/app/../x': false,
  '/app/%2e%2e/x': false,
  '/other;/app/x': false,
  '*': false,
};
for (const [target, isMeant] of Object.entries(TARGETS)) {
  test(`pages at ${target} are ${isMeant ? '' : 'not '}those of "/app/**"`, () => {
    const verdict = asked(['Sec-Fetch-Dest', 'document'], 'GET', target);
    assert.equal(verdict, isMeant ? 'navigates' : 'no page');
  });
}
