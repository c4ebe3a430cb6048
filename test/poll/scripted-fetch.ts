import type { Answer } from '../../src/poll/answer.ts';

/** Make an answer of an upstream. */
export function answer(
  status = 200,
  body: string | Buffer = '',
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const setCookies = headers['set-cookie'] === undefined ? [] : [headers['set-cookie']];
  return { status, headers: new Map(Object.entries(headers)), setCookies, body: Buffer.from(body) };
}

/** An answer of JSON. */
export function jsonAnswer(body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return answer(200, body, { 'content-type': 'application/json', ...headers });
}

/** One poll that was sent. */
export interface Sent {
  readonly conditions: readonly string[];
  readonly signal: AbortSignal;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** An upstream that answers as the test says. */
export interface ScriptedFetch {
  readonly fetch: (conditions: readonly string[], signal: AbortSignal) => Promise<Answer>;
  /** Every poll that was sent, in order. */
  readonly sent: readonly Sent[];
  /** Polls that have no answer yet. */
  readonly open: number;
  /** The largest number of polls that were open at once. */
  readonly mostOpen: number;
  /** Answers every poll at once, or fails it; unset, polls stay open until the test settles them. */
  reply: Answer | Error | undefined;
  /** The poll that was sent last. */
  last(): Sent;
}

/** Make an upstream that gives this reply until the test sets another. */
export function createScriptedFetch(reply?: Answer | Error): ScriptedFetch {
  const sent: Sent[] = [];
  let open = 0;
  let mostOpen = 0;
  const script: ScriptedFetch = {
    reply,
    sent,
    get open() {
      return open;
    },
    get mostOpen() {
      return mostOpen;
    },
    last() {
      const last = sent.at(-1);
      if (!last) throw new Error('no poll was sent');
      return last;
    },
    fetch: (conditions, signal) => {
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      return new Promise<Answer>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('abandoned')), { once: true });
        sent.push({ conditions, signal, resolve, reject });
        if (script.reply instanceof Error) reject(script.reply);
        else if (script.reply) resolve(script.reply);
      }).finally(() => {
        open -= 1;
      });
    },
  };
  return script;
}
