import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { constants, createGunzip } from 'node:zlib';
import { requestOf } from './clients.ts';
import type { Inbox, ReadOptions, Way } from './reader.ts';

/** Leave with a reset. */
export function reset(req: ClientRequest): void {
  if (req.socket) req.socket.resetAndDestroy();
  else req.destroy();
}

/** Read an answer that stays open. */
export function readStream(inbox: Inbox, { client, origin, wanted, headers }: ReadOptions): Way {
  const { target, headers: own } = requestOf(client, origin, wanted);
  const chunks: Buffer[] = [];
  let res: IncomingMessage | undefined;
  let isPaused = false;

  function decode(answer: IncomingMessage): void {
    const decoder = client.decode?.(inbox.hear, answer.headers['content-type'] ?? '');
    const take = (bytes: Buffer) => {
      try {
        decoder?.(bytes);
      } catch (error) {
        inbox.end({ error });
        answer.destroy();
      }
    };
    // The default at the end is Z_FINISH: a stream without its trailer is an error.
    const gunzip =
      answer.headers['content-encoding'] === 'gzip'
        ? createGunzip({ flush: constants.Z_SYNC_FLUSH })
        : undefined;
    gunzip?.on('data', take);
    gunzip?.on('error', (error) => inbox.end({ error }));
    gunzip?.once('end', () => inbox.end({}));
    if (isPaused) answer.pause();
    answer.on('data', (bytes: Buffer) => {
      chunks.push(bytes);
      if (gunzip) gunzip.write(bytes);
      else take(bytes);
    });
    answer.once('end', () => (gunzip ? gunzip.end() : inbox.end({})));
    answer.once('error', (error) => inbox.end({ error }));
  }

  const req = request(new URL(target, origin), { headers: { ...own, ...headers }, agent: false });
  req.once('response', (answer) => {
    res = answer;
    const { statusCode: status = 0 } = answer;
    if (status === 200) return decode(answer);
    let text = '';
    answer.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    answer.once('end', () => inbox.end({ status, text }));
  });
  req.on('error', (error) => inbox.end({ error }));
  req.end();
  return {
    requests: 1,
    get isOpen() {
      return res !== undefined;
    },
    get coding() {
      return res?.headers['content-encoding'];
    },
    wire: () => Buffer.concat(chunks),
    pause() {
      isPaused = true;
      res?.pause();
    },
    resume() {
      isPaused = false;
      res?.resume();
    },
    close: () => reset(req),
    say: () => undefined,
    heardOut: () => Promise.resolve(),
  };
}
