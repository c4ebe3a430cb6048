import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsOf } from '../../src/client/page.ts';

const METAS: [html: string, seconds: number][] = [
  ['<meta http-equiv="refresh" content="5">', 5],
  ["<META CONTENT='30; url=/same' HTTP-EQUIV='Refresh'>", 30],
  ['<meta http-equiv=refresh content=2.5>', 2.5],
  ['<meta http-equiv="refresh" content="0">', 1],
  ['<meta http-equiv="content-type" content="5">', 0],
  ['<p>refresh</p>', 0],
  ['', 0],
];
for (const [html, seconds] of METAS) {
  test(`${html || 'nothing'} loads its page again after ${seconds} s`, () => {
    assert.equal(secondsOf(html), seconds);
  });
}
