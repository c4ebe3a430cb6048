import { contentCoding } from '../poll/decode.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue, headerValues } from '../shared/raw-headers.ts';
import type { Witness } from '../shared/witness.ts';
import type { Incomparable } from './shadow-tally.ts';
import type { TrialRoom } from './trial-room.ts';

/** An answer of the site's own, as it came. */
export interface TrueAnswer {
  readonly status: number;
  /** `content-type` and `content-encoding`. */
  readonly headers: ReadonlyMap<string, string>;
  /** Empty when the status says enough. */
  readonly body: Buffer;
}

/** Statuses of answers that give a state. */
const CONTENT = new Set([200, 203, 204]);
/** Statuses that say nothing of the resource, nor of who asks: too slow, too often. */
const BUSY = new Set([408, 425, 429]);
/** Codings that can be undone, or none. */
const UNPACKED = new Set(['', 'gzip', 'x-gzip']);
const NO_BODY = Buffer.alloc(0);

/** Keeps a copy of one answer that passes by: its pieces as they are, and no longer than need be. */
export class AnswerCopy implements Witness {
  /** Resolves when the answer is whole, or it is known that there will be no copy, and why not. */
  readonly done: Promise<'whole' | Incomparable>;
  /** The answer, from when it is whole until it is released. */
  answer: TrueAnswer | undefined;
  readonly #maxBytes: number;
  readonly #room: Pick<TrialRoom, 'take' | 'leave'>;
  #settle: (outcome: 'whole' | Incomparable) => void = () => undefined;
  #isOver = false;
  #status: number | undefined;
  #headers: ReadonlyMap<string, string> = new Map();
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number, room: Pick<TrialRoom, 'take' | 'leave'>) {
    this.#maxBytes = maxBytes;
    this.#room = room;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  onHead(status: number, raw: RawHeaders): void {
    if (this.#isOver) return;
    this.#status = status;
    if (status >= 500 || BUSY.has(status)) return this.#lose('failed');
    if (!CONTENT.has(status)) return this.#keep(NO_BODY);
    const headers = new Map([['content-encoding', joined(raw, 'content-encoding')]]);
    this.#headers = headers.set('content-type', headerValue(raw, 'content-type') ?? '');
    if (!UNPACKED.has(contentCoding({ headers }))) return this.#lose('coding');
    if (Number(headerValue(raw, 'content-length') ?? 0) > this.#maxBytes) this.#lose('size');
  }

  onData(chunk: Buffer): void {
    if (this.#isOver) return;
    if (this.#bytes + chunk.length > this.#maxBytes) return this.#lose('size');
    if (!this.#room.take('bytes', chunk.length)) return this.#lose('load');
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
  }

  onEnd(): void {
    const [first = NO_BODY, ...others] = this.#chunks;
    this.#keep(others.length === 0 ? first : Buffer.concat(this.#chunks));
  }

  /** The connection has nothing more to carry: without its end the answer is no whole one. */
  onClose(): void {
    this.#lose(this.#status === undefined ? 'failed' : 'cut');
  }

  /** The copy is not needed any more. */
  release(): void {
    this.#lose('cut');
    this.answer = undefined;
    this.#giveBack();
  }

  #keep(body: Buffer): void {
    if (this.#isOver || this.#status === undefined) return;
    this.#isOver = true;
    this.#chunks = [];
    this.answer = { status: this.#status, headers: this.#headers, body };
    this.#settle('whole');
  }

  #lose(why: Incomparable): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#chunks = [];
    this.#giveBack();
    this.#settle(why);
  }

  #giveBack(): void {
    this.#room.leave('bytes', this.#bytes);
    this.#bytes = 0;
  }
}

function joined(raw: RawHeaders, name: string): string {
  return headerValues(raw, name).join(', ');
}
