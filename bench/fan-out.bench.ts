import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Server } from './processes.ts';
import { cpuMs, start, startProxy } from './processes.ts';

/*
 * What it costs to push one change to everybody: CPU of the server for each delivered message, for
 * the proxy and for two programs that do nothing but push. Time on the wall would say what the
 * machine is doing besides; CPU is read from the process.
 */
const SUBSCRIBERS = 2_000;
const INTERVAL_MS = 100;
const SECONDS = 8;
/** Bytes of a small status document. */
const DOCUMENT_BYTES = 100;

interface Contender {
  readonly name: string;
  start(): Promise<Server>;
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Measure each contender, and print a table. */
export async function run(): Promise<void> {
  const upstream = createServer((_req, res) => {
    const body = JSON.stringify({ at: Date.now(), text: 'x'.repeat(DOCUMENT_BYTES - 30) });
    res.setHeader('content-type', 'application/json').end(body);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;

  const contenders: Contender[] = [
    { name: 'floor: socket.write(shared Buffer)', start: () => startFloor('socket') },
    { name: 'floor: res.write(string)', start: () => startFloor('response') },
    {
      name: 'comet-proxy, poll included',
      start: () =>
        startProxy({
          site: `http://127.0.0.1:${port}`,
          live: { '/push': { every: `${INTERVAL_MS}ms`, vary: [] } },
          limits: { streamsPerAddress: SUBSCRIBERS, connectionsPerAddress: SUBSCRIBERS },
        }),
    },
  ];
  const rows: { name: string; microseconds: number; complete: string }[] = [];
  for (const contender of contenders)
    rows.push({ name: contender.name, ...(await measure(contender)) });
  upstream.closeAllConnections();
  upstream.close();

  const floor = rows[0]?.microseconds ?? Number.NaN;
  console.log(`${SUBSCRIBERS} subscribers, a change every ${INTERVAL_MS} ms, ${SECONDS} s`);
  for (const { name, microseconds, complete } of rows) {
    const cost = `${microseconds.toFixed(1)} us CPU per message`.padStart(28);
    console.log(
      `${name.padEnd(38)}${cost}${(microseconds / floor).toFixed(2).padStart(7)}   ${complete}`,
    );
  }
}

async function measure(contender: Contender): Promise<{ microseconds: number; complete: string }> {
  const { process: server, port } = await contender.start();
  const client = fork(file('fan-out-client.js'), [String(port), String(SUBSCRIBERS)]);
  try {
    await once(client, 'message'); // all of them have had a first message
    const before = { received: await ask(client), cpuMs: cpuMs(server.pid ?? 0) };
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
    const after = { received: await ask(client), cpuMs: cpuMs(server.pid ?? 0) };
    const messages = after.received - before.received;
    const expected = (SECONDS * 1_000 * SUBSCRIBERS) / INTERVAL_MS;
    return {
      microseconds: ((after.cpuMs - before.cpuMs) * 1_000) / messages,
      complete: `${Math.round((100 * messages) / expected)} % of the changes delivered`,
    };
  } finally {
    client.kill();
    server.kill('SIGKILL');
  }
}

async function ask(client: ChildProcess): Promise<number> {
  client.send('count');
  const [count] = (await once(client, 'message')) as [number];
  return count;
}

function startFloor(how: string): Promise<Server> {
  return start([file('fan-out-floor.js'), how, String(INTERVAL_MS), String(DOCUMENT_BYTES)]);
}
