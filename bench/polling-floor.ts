// Makes the requests that the proxy would make, by nothing but undici: the least that polls cost.
// Told what to do by messages.
import type { Dispatcher } from 'undici';
import { Pool } from 'undici';
import { CASES, pollHeaders } from './polling-cases.ts';

/** What is to be polled from now on. */
export interface Polling {
  readonly port: number;
  /** Of the case. */
  readonly key: string;
  readonly channels: number;
  /** Polls at once. */
  readonly maxConcurrent: number;
}

const [how] = process.argv.slice(2);
const poll = how === 'request' ? pollByRequest : pollByDispatch;
let stop: () => void = () => undefined;

process.on('message', (order: Polling | 'stop') => {
  stop();
  if (order !== 'stop') stop = start(order);
});

/** Poll each channel once a second, evenly: what a late timer has missed is made up for. */
function start({ port, key, channels, maxConcurrent }: Polling): () => void {
  const pool = new Pool(`http://127.0.0.1:${port}`, {
    connections: maxConcurrent,
    pipelining: 1,
    bodyTimeout: 0,
    headersTimeout: 0,
  });
  const conditions = CASES.find((known) => known.key === key)?.conditions ?? [];
  const headers = [...pollHeaders(port), ...conditions];
  const startedAt = performance.now();
  let count = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) * channels) / 1_000;
    for (; count < due; count++) {
      poll(pool, { method: 'GET', path: `/${key}/${count % channels}`, headers }).catch(fail);
    }
  }, 1);
  return () => {
    clearInterval(timer);
    pool.destroy().catch(fail);
  };
}

async function pollByRequest(pool: Pool, options: Dispatcher.RequestOptions): Promise<void> {
  const { body } = await pool.request(options);
  await body.arrayBuffer();
}

function pollByDispatch(pool: Pool, options: Dispatcher.DispatchOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    pool.dispatch(options, {
      onRequestStart: () => undefined,
      onResponseData: (_controller, chunk) => void chunks.push(chunk),
      onResponseEnd: () =>
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
      onResponseError: (_controller, error) => reject(error),
    });
  });
}

function fail(error: { code?: string }): void {
  if (error.code === 'UND_ERR_DESTROYED' || error.code === 'UND_ERR_ABORTED') return;
  console.error(error);
  process.exit(1);
}
