import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PageVisit, WholeAnswer } from '../../src/passthrough/inject/page-visit.ts';
import { WholePages } from '../../src/passthrough/inject/whole-page.ts';
import { clientOf } from '../rewriting/upstreams.ts';
import { NAVIGATION } from './edited-page.ts';
import { injectionOf } from './page-visit.ts';

const PAGE = Buffer.from(
  '<html><head><meta http-equiv="refresh" content="5"><title>é</title></head></html>',
);

function answerWith(headers: Record<string, string> = {}, status = 200): WholeAnswer {
  return {
    status,
    headers: { 'content-type': 'text/html', etag: '"a-1"', ...headers },
    body: PAGE,
  };
}

function visitOf(headers: readonly string[] = [], { injection } = injectionOf()): PageVisit {
  const rawHeaders = ['Sec-Fetch-Dest', 'document', ...headers];
  const downstream = clientOf('https://shop.example');
  const visit = injection.visit({ req: { method: 'GET', rawHeaders }, target: '/s', downstream });
  if (!visit) throw new Error('this request loads no page');
  visit.conditions(rawHeaders);
  return visit;
}

test('a page that is known gets the script, and the length that it has then', () => {
  const live = '"/s";id="a-1"';
  const changed = visitOf().change(answerWith({ 'comet-live': live, 'content-length': '1' }));
  const text = String(changed?.body);
  assert.match(
    text,
    /^<html><head><script src="[^"]*" data-page="&#34;\/s&#34;;id=&#34;a-1&#34;">/,
  );
  assert.match(text, /<noscript><meta http-equiv="refresh" content="5"><\/noscript><title>é</);
  assert.equal(changed?.headers['content-length'], String(changed?.body.length));
  assert.match(changed?.headers['etag'] ?? '', /^W\/"a-1~/);
  assert.equal(changed?.headers['comet-live'], live);
});

test('whoever has it is told so, and who has it without the script is not', () => {
  const { etag = '' } = visitOf().change(answerWith())?.headers ?? {};
  const visit = visitOf(['If-None-Match', etag]);
  assert.deepEqual(visit.conditions(['If-None-Match', etag]), ['If-None-Match', '"a-1"']);
  const confirmed = visit.change({ ...answerWith({}, 304), body: new Uint8Array() });
  assert.deepEqual([confirmed?.status, confirmed?.headers['etag']], [304, etag]);
  assert.deepEqual(visitOf().conditions(['If-None-Match', '"a-1"']), []);
});

test('what gets no script is left to be answered as ever', () => {
  const none = "script-src 'none'";
  assert.equal(visitOf().change(answerWith({ 'content-security-policy': none })), undefined);
  assert.equal(visitOf().change(answerWith({ 'content-type': 'application/json' })), undefined);
  assert.equal(visitOf().change({ ...answerWith(), body: Buffer.from('OK') }), undefined);
});

test('a thousand requests read a page once', () => {
  const pages = new WholePages();
  let reads = 0;
  const page = Object.assign(new Uint8Array(PAGE), {});
  Object.defineProperty(page, 'buffer', {
    get() {
      reads += 1;
      return PAGE.buffer.slice(PAGE.byteOffset, PAGE.byteOffset + PAGE.length);
    },
  });
  Object.defineProperty(page, 'byteOffset', { value: 0 });
  const bodies = Array.from({ length: 1_000 }, () => pages.inject(page, NAVIGATION, '<a>'));
  assert.equal(new Set(bodies).size, 1);
  assert.equal(reads, 1);
});

test('each client gets its own tags', () => {
  const pages = new WholePages();
  for (const tags of ['<a>', '<b>', '<a>']) {
    assert.match(String(pages.inject(PAGE, NAVIGATION, tags)), new RegExp(`<head>${tags}<meta`));
  }
});
