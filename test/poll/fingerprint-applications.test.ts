import { test } from 'node:test';
import type { Keys } from './comparisons.ts';
import { assertChange, assertSame } from './comparisons.ts';

/*
 * What real applications that poll need to ignore.
 */

const JSON_TYPE = 'application/json';

const REAL: readonly (readonly [
  application: string,
  ignore: string[],
  before: object,
  after: object,
  change: object,
])[] = [
  [
    'a torrent daemon',
    ['/arguments/download-dir-free-space'],
    {
      arguments: { 'download-dir-free-space': 63_210_102_784, 'rpc-version': 17 },
      result: 'success',
    },
    {
      result: 'success',
      arguments: { 'rpc-version': 17, 'download-dir-free-space': 63_210_098_688 },
    },
    {
      arguments: { 'download-dir-free-space': 63_210_102_784, 'rpc-version': 18 },
      result: 'success',
    },
  ],
  [
    'an aircraft receiver',
    [
      '/now',
      '/messages',
      ...['seen', 'seen_pos', 'rssi', 'messages'].map((name) => `/aircraft/*/${name}`),
    ],
    {
      now: 1.5,
      messages: 7,
      aircraft: [{ hex: '3c', seen: 0.1, rssi: -3.2, messages: 4, lat: 5 }, { hex: '4d' }],
    },
    {
      now: 2.5,
      messages: 9,
      aircraft: [
        { hex: '3c', seen: 1.1, seen_pos: 2, rssi: -3, messages: 5, lat: 5 },
        { hex: '4d' },
      ],
    },
    {
      now: 1.5,
      messages: 7,
      aircraft: [{ hex: '3c', seen: 0.1, rssi: -3.2, messages: 4, lat: 6 }, { hex: '4d' }],
    },
  ],
  [
    'a news downloader',
    [
      '/result/ServerTime',
      '/result/UpTimeSec',
      '/result/DownloadTimeSec',
      '/result/FreeDiskSpace*',
    ],
    {
      version: '1.1',
      result: {
        RemainingSizeMB: 5,
        ServerTime: 17,
        UpTimeSec: 1,
        DownloadTimeSec: 0,
        FreeDiskSpaceLo: 3,
        FreeDiskSpaceHi: 0,
        FreeDiskSpaceMB: 9,
      },
    },
    {
      version: '1.1',
      result: {
        RemainingSizeMB: 5,
        ServerTime: 19,
        UpTimeSec: 3,
        DownloadTimeSec: 2,
        FreeDiskSpaceLo: 1,
        FreeDiskSpaceHi: 1,
        FreeDiskSpaceMB: 8,
      },
    },
    {
      version: '1.1',
      result: {
        RemainingSizeMB: 4,
        ServerTime: 17,
        UpTimeSec: 1,
        DownloadTimeSec: 0,
        FreeDiskSpaceLo: 3,
        FreeDiskSpaceHi: 0,
        FreeDiskSpaceMB: 9,
      },
    },
  ],
  [
    'a sync tool',
    ['/alloc', '/uptime', '/cpuPercent', '/sys', '/at'],
    { alloc: 1, uptime: 2, cpuPercent: 0.5, sys: 3, at: '2025-01-01T00:00:00Z', myID: 'P56' },
    { alloc: 9, uptime: 9, cpuPercent: 9, sys: 9, at: '2025-01-01T00:00:02Z', myID: 'P56' },
    { alloc: 1, uptime: 2, cpuPercent: 0.5, sys: 3, at: '2025-01-01T00:00:00Z', myID: 'P57' },
  ],
  [
    'a torrent page that counts its calls',
    ['/id', '/result/stats'],
    { id: 17, error: null, result: { stats: { rate: 4 }, torrents: { ab: { name: 'x' } } } },
    {
      id: 18,
      error: null,
      result: { stats: { rate: 5, peers: 1 }, torrents: { ab: { name: 'x' } } },
    },
    { id: 17, error: null, result: { stats: { rate: 4 }, torrents: { ab: { name: 'y' } } } },
  ],
];
for (const [application, ignore, before, after, change] of REAL) {
  test(`the restless figures of ${application} are no change, the others are`, () => {
    const text = (value: object) => JSON.stringify(value);
    assertSame(JSON_TYPE, { ignore }, [text(before), text(after)]);
    assertChange(JSON_TYPE, { ignore }, [text(before), text(change)]);
    assertChange(JSON_TYPE, {}, [text(before), text(after)]);
  });
}

/** The graphs of a network watcher; `rf` is its refresh counter, read by the page only. */
const graphs = (rf: number, input: number) =>
  `<?xml version="1.0"?>
<graphs tp="${rf}" xb="${rf}">
 <seconds rf="${rf}"><e p="s59" i="${input}" o="0"/></seconds>
 <minutes rf="${rf + 1}"><e p="m59" i="${input}" o="0"/></minutes>
</graphs>`;
test('the counters of a network watcher in attributes of XML are no change, its traffic is', () => {
  const ignore = ['/graphs/@tp', '/graphs/@xb', '/graphs/*/@rf'];
  assertSame('text/xml', { ignore }, [graphs(1, 100), graphs(2, 100)]);
  assertChange('text/xml', { ignore }, [graphs(1, 100), graphs(2, 101)]);
  assertChange('text/xml', {}, [graphs(1, 100), graphs(2, 100)]);
});

/** The statistics page of a load balancer, as old as its HTML. */
const statistics = (uptime: string, sessions: number, state: string) =>
  `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">
<html><head><title>Statistics</title></head><body>
<table border=0><tr><td><b>pid = </b> 17 (process #1)<br><b>uptime = </b> <span class="up">${uptime}</span><br>
<b>maxsock = </b> 4096</table>
<table class="tbl" id="web"><tr class="titre"><th>Name<th>Sessions<th>Status
<tr class="active_up"><td class=ac>web1<td>${sessions}<td class=ac>${uptime} ${state}
<tr class="active_up"><td class=ac>web2<td>${sessions + 1}<td class=ac>UP
</table></body></html>`;
test('uptime and counters of a load balancer in HTML are no change, its states are', () => {
  const keys: Keys = {
    select: { css: '#web' },
    ignore: [{ css: '.tbl td:nth-child(2)' }, { css: 'td.ac:last-child:contains("0d")' }],
  };
  const before = statistics('0d 0h01m', 5, 'UP');
  assertSame('text/html', { ignore: [{ css: '.up' }, { css: '.tbl td' }] }, [
    before,
    statistics('0d 0h02m', 9, 'DOWN'),
  ]);
  assertSame('text/html', keys, [before, statistics('0d 0h02m', 9, 'UP')]);
  assertChange('text/html', { select: { css: '#web td.ac' } }, [
    before,
    statistics('0d 0h01m', 5, 'DOWN'),
  ]);
});
