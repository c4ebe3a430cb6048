import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { openEventStream } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';
import { emptyFolder, runCommand, startCommand, startServing } from './command.ts';

test('run says where it listens as soon as it accepts, and serves the site', async (t) => {
  const site = await startUpstream(t, (req, res) => void res.end(`site says ${req.url}`));
  const cwd = emptyFolder(t);
  const config = { site: site.url, listen: '127.0.0.1:0' };
  writeFileSync(join(cwd, 'proxy.config.json'), JSON.stringify(config));

  const command = startCommand(t, ['run'], { cwd });
  const [, url = ''] = await command.output(/^listening on (http:\/\/127\.0\.0\.1:\d+)$/m);
  const answer = await fetch(`${url}/page?x=1`);
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), 'site says /page?x=1');
});

test('without a command, flags are enough to serve and push', async (t) => {
  let value = 0;
  const site = await startUpstream(t, (_req, res) => {
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ value }));
  });
  const { url } = await startServing(t, site.url, ['--live', '/api/status=50ms']);
  assert.deepEqual(await (await fetch(`${url}/other`)).json(), { value: 0 });
  const stream = await openEventStream(t, `${url}/api/status`);
  assert.equal((await stream.next()).data, '{"value":0}');
  value = 1;
  assert.equal((await stream.next()).data, '{"value":1}');
});

test('every address is listened on, and told on a line of its own', async (t) => {
  const site = await startUpstream(t, (_req, res) => void res.end('hello'));
  const path = join(emptyFolder(t), 'x.sock');
  const command = await startServing(t, site.url, ['--listen', `unix:${path}`]);
  await command.output(new RegExp(`^listening on unix:${path}$`, 'm'));
  const req = request({ socketPath: path, path: '/', headers: { host: 'h' } }).end();
  const [res] = await once(req, 'response');
  assert.equal(res.statusCode, 200);
  res.resume();

  command.kill('SIGTERM');
  assert.equal((await command.ended).code, 0);
  assert.equal(existsSync(path), false, 'the socket file is removed');
});

test('an address that is taken is told in one line, and the exit code is 69', async (t) => {
  const taken = await startUpstream(t, (_req, res) => void res.end());
  const listen = ['--listen', `127.0.0.1:${taken.port}`];
  const { code, stdout, stderr } = await runCommand(t, ['--site', taken.url, ...listen]);
  assert.match(stderr, /^comet-proxy: cannot listen: .*EADDRINUSE.*\n$/);
  assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${taken.port}`));
  assert.doesNotMatch(stdout, /listening/);
  assert.equal(code, 69);
});

test('when one of several addresses is taken, none is served', async (t) => {
  const taken = await startUpstream(t, (_req, res) => void res.end());
  const listen = ['--listen', '127.0.0.1:0', '--listen', `127.0.0.1:${taken.port}`];
  const { code, stdout } = await runCommand(t, ['--site', taken.url, ...listen]);
  assert.doesNotMatch(stdout, /listening/);
  assert.equal(code, 69);
});

test('a site that is not there does not keep the proxy from starting', async (t) => {
  const site = await startUpstream(t, (_req, res) => void res.end());
  await site.close();
  const { url } = await startServing(t, site.url);
  assert.equal((await fetch(url)).status, 502);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`an idle proxy ends on ${signal} with 0`, async (t) => {
    const site = await startUpstream(t, (_req, res) => void res.end('hello'));
    const command = await startServing(t, site.url);
    // A connection that is kept alive is no reason to stay.
    await (await fetch(command.url)).text();
    command.kill(signal);
    const { code, stdout, stderr } = await command.ended;
    assert.equal(code, 0);
    assert.match(stdout, /stopped/);
    assert.equal(stderr, '');
  });
}
