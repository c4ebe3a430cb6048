import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { requestOf } from './clients.ts';
import { heardInReply } from './decoders.ts';
import { reset } from './read-stream.ts';
import type { Inbox, ReadOptions, Way } from './reader.ts';

const LAST_WORDS = ['unauthorized', 'gone'];

/**
 * Read by one long poll after the other, as docs/protocol.md §4.3 has it: each next request repeats
 * each URL with the id of its last event, and leaves out those that had their last word.
 */
export function readPolls(inbox: Inbox, { client, origin, wanted, headers }: ReadOptions): Way {
  const cursors = new Map(Object.entries(wanted));
  const [only] = cursors.keys();
  let requests = 0;
  let isPaused = false;
  let req: ClientRequest | undefined;
  let res: IncomingMessage | undefined;

  /** @returns False when there is nothing more to ask for. */
  function take(text: string): boolean {
    let isOver = false;
    for (const heard of heardInReply(text, client.transport === 'jsonp')) {
      inbox.hear(heard);
      isOver ||= heard.kind === 'retry' || heard.kind === 'refusal';
      if (heard.kind !== 'event') continue;
      const { url: told, id, event } = heard.told;
      // A single URL may have been asked for with what the site does not look at.
      const url = told !== undefined && cursors.has(told) ? told : (only ?? '');
      if (LAST_WORDS.includes(event)) cursors.delete(url);
      else if (id !== undefined) cursors.set(url, id);
    }
    return !isOver && cursors.size > 0;
  }

  function ask(): void {
    requests += 1;
    const { target, headers: own } = requestOf(client, origin, Object.fromEntries(cursors));
    const options = { headers: { ...own, ...headers }, agent: false as const };
    req = request(new URL(target, origin), options, (answer) => {
      res = answer;
      if (isPaused) answer.pause();
      const chunks: Buffer[] = [];
      answer.on('data', (bytes: Buffer) => chunks.push(bytes));
      answer.once('error', (error) => inbox.end({ error }));
      answer.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (answer.statusCode !== 200) return inbox.end({ status: answer.statusCode ?? 0, text });
        try {
          if (take(text)) ask();
          else inbox.end({});
        } catch (error) {
          inbox.end({ error });
        }
      });
    });
    req.on('error', (error) => inbox.end({ error }));
    req.end();
  }

  ask();
  return {
    get requests() {
      return requests;
    },
    get isOpen() {
      return res !== undefined;
    },
    get coding() {
      return res?.headers['content-encoding'];
    },
    wire: () => Buffer.alloc(0),
    pause() {
      isPaused = true;
      res?.pause();
    },
    resume() {
      isPaused = false;
      res?.resume();
    },
    close: () => req && reset(req),
    say: () => undefined,
    heardOut: () => Promise.resolve(),
  };
}
