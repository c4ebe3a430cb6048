import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { delay } from '../figures.ts';
import { freePorts, listens, stop } from './child.ts';
import type { Contender } from './contender.ts';
import { temporaryFolder } from './native.ts';
import type { PublishTo } from './site.ts';
import { listen, startPublisher } from './site.ts';
import { makeState } from './state.ts';

/** Of Debian's package: which of its sockets the programs talk by. */
const INTERNAL = '/usr/lib/pushpin/internal.conf';
/** Where zurl, by which Pushpin asks its backend, listens when Debian starts it. */
const ZURL = 'ipc:///var/run/zurl/';

const INSTALL = 'Pushpin is not installed (apt-get install pushpin zurl)';

/** Pushpin: a backend of ours holds the streams, and it is told of each change by a request. */
export const PUSHPIN: Contender = {
  name: 'Pushpin: sse',
  objection: ['pushpin', 'zurl'].every((name) => spawnSync(name, ['--version']).status === 0)
    ? undefined
    : INSTALL,
  async start({ endpoints, bytes, intervalMs, subscribers }) {
    const backend = await listen((req, res) => {
      res.setHeader('content-type', 'text/event-stream');
      res.setHeader('grip-hold', 'stream');
      res.setHeader('grip-channel', req.url?.split('/').at(-1) ?? '');
      res.end(eventOf(makeState(bytes).text));
    });
    const [port = 0, publishPort = 0, ...specs] = await freePorts(5);
    const folder = temporaryFolder('bench-pushpin-');
    for (const name of ['run', 'log']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'routes'), `* 127.0.0.1:${backend.port}\n`);
    const internal = readFileSync(INTERNAL, 'latin1').replaceAll(ZURL, `ipc://${folder}/run/`);
    writeFileSync(join(folder, 'internal.conf'), internal);
    writeFileSync(join(folder, 'zurl.conf'), zurlConfigOf(folder));
    const zurl = spawn('zurl', [`--config=${join(folder, 'zurl.conf')}`, '--loglevel=0'], {
      stdio: 'ignore',
    });
    const config = join(folder, 'pushpin.conf');
    writeFileSync(config, configOf({ folder, port, publishPort, specs, subscribers }));
    const child = spawn('pushpin', ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await listens(child, publishPort, () => said);
    await listens(child, port, () => said);
    await firstAnswer(port);
    const places = Array.from({ length: endpoints }, (_, n) => publishTo(publishPort, n));
    let publisher: Awaited<ReturnType<typeof startPublisher>> | undefined;
    return {
      port,
      pid: child.pid ?? 0,
      speech: {
        mode: 'stream',
        first: 'GET /push/{n} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n',
      },
      get made() {
        return publisher?.made ?? [];
      },
      // A message breaks a stream that it just hands over from one of its processes to another:
      // "received message out of sequence, canceling".
      async begin() {
        publisher = await startPublisher(places, { bytes, intervalMs });
      },
      async close() {
        publisher?.close();
        await stop(child, 'SIGTERM');
        await stop(zurl);
        backend.close();
      },
    };
  },
};

/** Its parts find each other only after it has begun to listen: what comes before that is lost. */
async function firstAnswer(port: number): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    const signal = AbortSignal.timeout(1_000);
    const res = await fetch(`http://127.0.0.1:${port}/push/none`, { signal }).catch(
      () => undefined,
    );
    await res?.body?.cancel();
    if (res?.ok) return;
    await delay(100);
  }
  throw new Error('Pushpin does not reach its backend');
}

let count = 0;

function eventOf(text: string): string {
  count += 1;
  return `id: 0123456789abcdef-${count}\ndata: ${text}\n\n`;
}

function publishTo(port: number, n: number): PublishTo {
  const body = (text: string) =>
    JSON.stringify({ items: [{ channel: String(n), 'http-stream': { content: eventOf(text) } }] });
  return { port, path: '/publish/', contentType: 'application/json', body };
}

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly publishPort: number;
  /** Ports that it listens on besides. */
  readonly specs: readonly number[];
  readonly subscribers: number;
}

function configOf({ folder, port, publishPort, specs, subscribers }: Place): string {
  const [push, sub, command] = specs.map((spec) => `tcp://127.0.0.1:${spec}`);
  return `
[global]
include=${folder}/internal.conf
rundir=${folder}/run
ipc_prefix=bench-
port_offset=0
stats_connection_ttl=120

[runner]
services=condure,pushpin-proxy,pushpin-handler
http_port=127.0.0.1:${port}
logdir=${folder}/log
log_level=1
client_buffer_size=8192
client_maxconn=${subscribers + 1_000}
condure_bin=condure
zurl_bin=zurl

[proxy]
routesfile=${folder}/routes
updates_check=off

[handler]
push_in_spec=${push}
push_in_sub_specs=${sub}
push_in_sub_connect=false
push_in_http_addr=127.0.0.1
push_in_http_port=${publishPort}
push_in_http_max_headers_size=10000
push_in_http_max_body_size=1000000
stats_spec=ipc://${folder}/run/bench-stats
command_spec=${command}
message_rate=10000000
message_hwm=1000000
message_wait=5000
id_cache_ttl=60
connection_subscription_max=20
subscription_linger=60
stats_subscription_ttl=60
stats_report_interval=10
stats_format=tnetstring
`;
}

function zurlConfigOf(folder: string): string {
  return `
[General]
instance_id=bench
in_spec=ipc://${folder}/run/zurl-in
in_stream_spec=ipc://${folder}/run/zurl-in-stream
out_spec=ipc://${folder}/run/zurl-out
in_req_spec=ipc://${folder}/run/zurl-req
ipc_file_mode=660
defpolicy=allow
max_open_requests=2000
buffer_size=200000
timeout=600
in_hwm=1000
out_hwm=1000
`;
}
