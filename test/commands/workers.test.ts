import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { openEventStream } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';
import type { Command } from './command.ts';
import { emptyFolder, startCommand } from './command.ts';

/*
 * `workers: 2` as an operator has it: a supervisor, a hub that polls, and two edges.
 */

/** The command with two workers before a site with one state. */
async function serve(t: TestContext, config: Record<string, unknown> = {}) {
  const site = { value: 0 };
  const upstream = await startUpstream(t, (req, res) => {
    if (req.method === 'POST') site.value += 1;
    // Never answered.
    if (req.url === '/slow') return;
    res.setHeader('content-type', 'application/json').end(String(site.value));
  });
  const folder = emptyFolder(t);
  const text = JSON.stringify({
    listen: '127.0.0.1:0',
    site: upstream.url,
    workers: 2,
    live: { '/api/:n': { every: '50ms', vary: [] } },
    log: { level: 'debug', format: 'json' },
    ...config,
  });
  // Its temporary files go where the test sees them.
  const command = startCommand(t, ['--config', '-'], { env: { TMPDIR: folder }, input: text });
  const [, url = ''] = await command.output(/^listening on (\S+)$/m);
  const pidOf = async (name: string) => {
    const [, pid] = await command.output(new RegExp(`"process":"${name}","pid":(\\d+)`));
    return Number(pid);
  };
  const pids = { hub: await pidOf('hub'), edges: [await pidOf('edge 1'), await pidOf('edge 2')] };
  return { site, upstream, folder, command, url, ...pids };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Follow a stream, and when it is cut follow it again, as browsers do. */
async function followForGood(t: TestContext, url: string) {
  const values: number[] = [];
  const told = { cuts: 0 };
  let isOver = false;
  t.after(() => {
    isOver = true;
  });
  const go = async () => {
    let id: string | undefined;
    while (!isOver) {
      try {
        const stream = await openEventStream(t, url, id ? { 'last-event-id': id } : {});
        for (;;) {
          const event = await stream.next();
          id = event.id ?? id;
          if (event.event === undefined) values.push(Number(event.data));
        }
      } catch {
        told.cuts += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  void go();
  await until(() => values.length > 0);
  return { values, told };
}

/** Change the state some times, each time until everybody has been told. */
async function change(url: string, readers: readonly { values: number[] }[], times = 3) {
  for (let count = 0; count < times; count++) {
    await (await fetch(`${url}/api/x`, { method: 'POST' })).text();
    const value = Math.max(...readers.flatMap(({ values }) => values)) + 0;
    await until(() => readers.every(({ values }) => (values.at(-1) ?? 0) >= value));
  }
}

async function ended(command: Command, signal: NodeJS.Signals = 'SIGTERM') {
  command.kill(signal);
  return command.ended;
}

test('two workers serve one site, and say once where', async (t) => {
  const { url, hub, edges, command, folder } = await serve(t);
  assert.equal(new Set([hub, ...edges]).size, 3);
  const readers = await Promise.all([1, 2, 3, 4].map(() => followForGood(t, `${url}/api/x`)));
  await change(url, readers);
  const { code, stdout } = await ended(command);
  assert.equal(code, 0);
  assert.equal(stdout.match(/^listening on/gm)?.length, 1);
  assert.deepEqual(
    [hub, ...edges].map(isAlive),
    [false, false, false],
    'nothing goes on after the command has ended',
  );
  assert.deepEqual(readdirSync(folder), [], 'and nothing is left behind');
});

test('an edge that dies is replaced, and its clients lose nothing', async (t) => {
  const { url, site, edges, command } = await serve(t);
  const readers = await Promise.all([1, 2, 3, 4].map(() => followForGood(t, `${url}/api/x`)));
  await change(url, readers);
  process.kill(edges[0] ?? 0, 'SIGKILL');
  await command.output(/process has been replaced/);
  await change(url, readers);
  await until(() => readers.every(({ values }) => values.at(-1) === site.value));
  for (const { values } of readers) {
    assert.deepEqual(values, [...new Set(values)], 'nothing came twice');
  }
  const cuts = readers.map(({ told }) => told.cuts);
  assert.ok(
    cuts.some((count) => count > 0),
    'one of them was there',
  );
  assert.ok(
    cuts.some((count) => count === 0),
    'the others notice nothing',
  );
});

test('a hub that dies is replaced, and clients notice nothing', async (t) => {
  const { url, site, hub, command } = await serve(t);
  const readers = await Promise.all([1, 2, 3, 4].map(() => followForGood(t, `${url}/api/x`)));
  await change(url, readers);
  process.kill(hub, 'SIGKILL');
  await command.output(/process has been replaced/);
  await change(url, readers);
  await until(() => readers.every(({ values }) => values.at(-1) === site.value));
  for (const { values, told } of readers) {
    assert.equal(told.cuts, 0);
    assert.deepEqual(values, [...new Set(values)], 'nothing came twice');
  }
});

test('an edge that is told to end finishes, and is replaced', async (t) => {
  const { url, edges, command } = await serve(t);
  await followForGood(t, `${url}/api/x`);
  process.kill(edges[1] ?? 0, 'SIGTERM');
  await command.output(/process has been replaced/);
  assert.equal((await fetch(`${url}/api/x`)).status, 200);
});

test('a supervisor that is killed leaves no process behind', async (t) => {
  const { hub, edges, command } = await serve(t);
  await ended(command, 'SIGKILL');
  await until(() => ![hub, ...edges].some(isAlive));
});

test('a second signal ends everything at once', async (t) => {
  const scene = await serve(t, { limits: { drain: '1h' } });
  const { url, hub, edges, command, upstream } = scene;
  fetch(`${url}/slow`).catch(() => undefined);
  await until(() => upstream.count('/slow') === 1);
  command.kill('SIGTERM');
  await command.output(/draining for at most/);
  command.kill('SIGTERM');
  const { code } = await command.ended;
  assert.equal(code, 143);
  await until(() => ![hub, ...edges].some(isAlive));
});

test('a unix socket is shared by the workers, also in the place of a stale one', async (t) => {
  const path = join(emptyFolder(t), 'site.sock');
  const listen = `unix:${path}`;
  const first = await serve(t, { listen });
  await ended(first.command, 'SIGKILL');
  await until(() => ![first.hub, ...first.edges].some(isAlive));
  assert.ok(existsSync(path), 'nobody listens, and the file is there');
  const { url, command } = await serve(t, { listen });
  assert.equal(url, `unix:${path}`);
  const { code } = await ended(command);
  assert.equal(code, 0);
});

test('an address that is in use is one error, and ends the command', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => void res.end());
  const config = { site: upstream.url, listen: `127.0.0.1:${upstream.port}`, workers: 2 };
  const command = startCommand(t, ['--config', '-'], { input: JSON.stringify(config) });
  const { code, stderr, stdout } = await command.ended;
  assert.equal(code, 69);
  assert.match(stderr, /^comet-proxy: cannot listen: .*EADDRINUSE.*$/m);
  assert.equal(stderr.trim().split('\n').length, 1);
  assert.equal(stdout, '');
});
