import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapLink, mapRefresh } from '../../src/passthrough/url-headers.ts';
import { assertLinear } from './assert-linear.ts';

const AUTHORITIES = ['push.example', 'push.example:443'];

/** Knows URLs of one host only. */
function map(url: string): string | undefined {
  return /^(?:https:)?\/\/push\.example(?=\/)/.test(url)
    ? url.replace(/^(?:https:)?\/\/push\.example/, '/chat')
    : undefined;
}

const REFRESHES: Record<string, string> = {
  '5': '5',
  '': '',
  '5; url=https://push.example/x': '5; url=/chat/x',
  '5;url=https://push.example/x': '5;url=/chat/x',
  '5;URL = https://push.example/x': '5;URL = /chat/x',
  '0.5, url=https://push.example/x': '0.5, url=/chat/x',
  '0 url=https://push.example/x': '0 url=/chat/x',
  '5; url="https://push.example/x"': '5; url="/chat/x"',
  "5; url='https://push.example/x'": "5; url='/chat/x'",
  '5; url="https://push.example/x?a=\'b\'"  ': '5; url="/chat/x?a=\'b\'"  ',
  '5; https://push.example/x': '5; /chat/x',
  '5;https://push.example/x': '5;/chat/x',
  '5; url=https://other.example/x': '5; url=https://other.example/x',
  '5; url=x': '5; url=x',
  'url=https://push.example/x': 'url=https://push.example/x',
};
for (const [value, expected] of Object.entries(REFRESHES)) {
  test(`Refresh: ${value} becomes ${expected}`, () => {
    assert.equal(mapRefresh(value, map), expected);
  });
}

const LINKS: Record<string, string | undefined> = {
  '<https://push.example/a.js>; rel=preload; as=script': '</chat/a.js>; rel=preload; as=script',
  '<//push.example/a>;rel="next"': '</chat/a>;rel="next"',
  '<https://push.example/a>; rel=next, <https://other.example/b>; rel=prev':
    '</chat/a>; rel=next, <https://other.example/b>; rel=prev',
  '<https://push.example/a,b;c>; title="x, <y>; \\"z"; rel=next':
    '</chat/a,b;c>; title="x, <y>; \\"z"; rel=next',
  '<a>; rel=next': '<a>; rel=next',
  'no link at all': 'no link at all',
  '<https://push.example>; rel=preconnect': undefined,
  '<https://PUSH.example:443/>; rel="preconnect"; crossorigin': undefined,
  '<//push.example>; rel=dns-prefetch': undefined,
  '<https://push.example>; crossorigin; REL="dns-prefetch preconnect"': undefined,
  '<https://push.example>; rel=preconnect, <https://push.example/a>; rel=preload':
    '</chat/a>; rel=preload',
  '<https://other.example>; rel=preconnect': '<https://other.example>; rel=preconnect',
  '<https://push.example.evil>; rel=preconnect': '<https://push.example.evil>; rel=preconnect',
  '<https://push.example/a>; rel=next; title="a hint; rel=preconnect"':
    '</chat/a>; rel=next; title="a hint; rel=preconnect"',
};
for (const [value, expected] of Object.entries(LINKS)) {
  test(`Link: ${value} becomes ${expected}`, () => {
    assert.equal(mapLink(value, map, AUTHORITIES), expected);
  });
}

const LONG = 15_000;
const HOSTILE: Record<string, () => unknown> = {
  'spaces in a Refresh': () => mapRefresh(`5${' '.repeat(LONG)}x`, map),
  'digits in a Refresh': () => mapRefresh(`${'5.'.repeat(LONG / 2)}x`, map),
  'quotes in a Refresh': () => mapRefresh(`5;url="${'" '.repeat(LONG / 2)}x`, map),
  'brackets in a Link': () => mapLink('<'.repeat(LONG), map, AUTHORITIES),
  'quotes in a Link': () => mapLink(`<a>${'"\\'.repeat(LONG / 2)}`, map, AUTHORITIES),
  'relations in a Link': () => mapLink(`<a>${';rel='.repeat(LONG / 5)}`, map, AUTHORITIES),
};
for (const [name, action] of Object.entries(HOSTILE)) {
  test(`a header costs in proportion to its length, whatever is in it: ${name}`, () => {
    assertLinear(action, LONG);
  });
}
