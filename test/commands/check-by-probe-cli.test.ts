import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbeReport } from '../../src/shared/probe-report.ts';
import { runCommand } from './command.ts';
import { SECRET, startLegacySite } from './legacy-site.ts';

const SITE = ['check', '--site', 'http://127.0.0.1:3000', '--live', '/clock=2s'];

test('check --probe asks with the flags of the command line', async (t) => {
  const site = await startLegacySite(t);
  const source = ['--site', site.url, '--live', '/clock=1m', '--live', '/orders/:id=1m'];
  const asked = ['-H', `Cookie: SESSION=${SECRET}`, '--header', 'X-Name: Grüße', '--wait', '1ms'];
  const args = ['check', '--probe', ...source, ...asked, '--url', '/clock?a', '--json'];
  const { code, stdout, stderr } = await runCommand(t, args);
  const { endpoints } = JSON.parse(stdout) as ProbeReport;
  assert.deepEqual(
    endpoints.map(({ url, answers }) => [url, answers.map(({ as }) => as).join(' ')]),
    [
      ['/clock?a', 'nobody nobody client client request'],
      ['/orders/:id', ''],
    ],
  );
  const name = Buffer.from('Grüße').toString('latin1');
  assert.equal(site.requests.filter(({ headers }) => headers['x-name'] === name).length, 1);
  assert.deepEqual([code, stderr], [0, '']);
  assert.doesNotMatch(stdout, new RegExp(SECRET));
});

test('check --probe of a bad config asks nobody: 78', async (t) => {
  const { code, stdout, stderr } = await runCommand(t, ['check', '--probe', '--site', 'nonsense']);
  assert.match(stderr, /^command line: /);
  assert.deepEqual([code, stdout], [78, '']);
});

const MISTAKES: readonly [rule: string, args: readonly string[], message: RegExp][] = [
  ['a URL without --probe', ['--url', '/clock'], /--url, --header, --wait and --json need --probe/],
  ['a header without --probe', ['-H', 'A: b'], /need --probe/],
  ['a pause without --probe', ['--wait', '1s'], /need --probe/],
  ['JSON without --probe', ['--json'], /need --probe/],
  ['no URL', ['--probe', '--url', 'clock'], /not a path or an http URL: clock/],
  ['no duration', ['--probe', '--wait', '2'], /--wait must be a duration/],
  ['two pauses', ['--probe', '--wait', '2s', '--wait', '3s'], /--wait can be given only once/],
  ['two bodies', ['--probe', '--body', 'a', '--body', 'b'], /--body can be given only once/],
  ['a body of nothing', ['--probe', '--body', 'a'], /--body needs --url/],
  ['no header', ['--probe', '-H', `SESSION=${SECRET}`], /not a header: it needs a name/],
  ['a control character', ['--probe', '-H', `A: ${SECRET}\u0001`], /not a header: it needs a name/],
  ['a URL of no endpoint', ['--probe', '--url', '/x'], /^comet-proxy: \/x is no live URL/],
];
for (const [rule, args, message] of MISTAKES) {
  test(`${rule} is a mistake of usage: 64`, async (t) => {
    const { code, stdout, stderr } = await runCommand(t, [...SITE, ...args]);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, new RegExp(SECRET));
    assert.deepEqual([code, stdout], [64, '']);
  });
}
