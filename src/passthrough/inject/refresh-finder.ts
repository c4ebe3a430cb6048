import { parseDocument, Tokenizer } from 'htmlparser2';
import type { EditFinder, PageEdit } from './page-edit.ts';
import { MAX_LOOKED_AT } from './page-edit.ts';
import { selfRefresh } from './self-refresh.ts';
import { ignored } from './token-handler.ts';

/** A longer tag is no refresh. */
const MAX_TAG = 8 * 1_024;

/** In these `<title>` and the like are no texts, or are nothing at all (HTML §13.2.6). */
const OTHER_RULES = /^(?:svg|math|select|frameset)$/;
/** The longest name that is looked for. */
const MAX_NAME = 'noscript'.length;
/** A tag of which the name may go on. */
const BEGUN = new RegExp(`<(?:/?[a-z]{0,${MAX_NAME}})$`, 'i');
/** Browsers read `</script>` in this as text of the script (HTML §13.2.5.20). */
const ESCAPED = /<!--|<script/gi;
/** Longest text by which a script can begin to be escaped, less one character. */
const ESCAPED_TAIL = 6;

/**
 * Finds each `<meta http-equiv="refresh">` by which a page of HTML reloads itself, where browsers
 * that run scripts would follow it: it is to be for those only that do not.
 *
 * Where browsers might read a page in another way than it is read here, nothing is found any more.
 */
export class RefreshFinder implements EditFinder {
  readonly #pageUrl: URL;
  readonly #tokenizer: Tokenizer;
  #edits: PageEdit[] = [];
  #text = '';
  #textFrom = 0;
  #read = 0;
  #isOver = false;
  /** Where the tag begins that is being read, if it may be one. */
  #metaFrom: number | undefined;
  #hasBase = false;
  #isInNoscript = false;
  #templates = 0;
  #isScript = false;
  /** Up to where the text of the script that is being read has been looked through. */
  #scriptSeen = 0;
  #scriptTail = '';
  #isScriptComment = false;

  constructor(pageUrl: URL) {
    this.#pageUrl = pageUrl;
    const onTagEnd = (end: number) => this.#onTagEnd(end + 1);
    this.#tokenizer = new Tokenizer(
      { decodeEntities: false },
      {
        ...ignored,
        onopentagname: (start, end) => this.#onTag(start - 1, this.#nameAt(start, end)),
        onopentagend: onTagEnd,
        onselfclosingtag: onTagEnd,
        // Browsers read on behind its first ">".
        oncdata: () => this.#stop(),
        onclosetag: (start, end) => this.#onEndTag(start - 2, this.#nameAt(start, end)),
      },
    );
  }

  get openFrom(): number {
    if (this.#isOver) return Number.POSITIVE_INFINITY;
    return this.#text === '' ? this.#read : this.#textFrom;
  }

  write(piece: string): void {
    if (this.#isOver) return;
    this.#text += piece;
    this.#read += piece.length;
    this.#tokenizer.write(piece);
    this.#lookThroughScript(this.#read);
    this.#forget();
    if (this.#read > MAX_LOOKED_AT) this.#stop();
  }

  end(): void {
    // A tag that does not end is none.
    this.#stop();
  }

  takeEdits(): PageEdit[] {
    const edits = this.#edits;
    this.#edits = [];
    return edits;
  }

  #onTag(start: number, name: string): void {
    this.#isScript = name === 'script';
    this.#scriptSeen = Number.POSITIVE_INFINITY; // its text begins behind the tag
    this.#scriptTail = '';
    this.#isScriptComment = false;
    if (OTHER_RULES.test(name)) return this.#stop();
    if (name === 'base') this.#hasBase = true;
    else if (name === 'noscript') this.#isInNoscript = true;
    else if (name === 'template') this.#templates += 1;
    else if (name === 'meta' && !this.#isInNoscript && this.#templates === 0) {
      this.#metaFrom = start;
    }
  }

  #onTagEnd(end: number): void {
    this.#scriptSeen = end;
    const from = this.#metaFrom;
    this.#metaFrom = undefined;
    if (from === undefined || end > MAX_LOOKED_AT || end - from > MAX_TAG) return;
    if (!this.#isSelfRefresh(this.#slice(from, end))) return;
    this.#edits.push({ at: from, text: '<noscript>' }, { at: end, text: '</noscript>' });
  }

  #onEndTag(start: number, name: string): void {
    this.#lookThroughScript(start);
    this.#isScript = false;
    if (name === 'noscript') this.#isInNoscript = false;
    else if (name === 'template') this.#templates = Math.max(0, this.#templates - 1);
  }

  #lookThroughScript(to: number): void {
    if (!this.#isScript || to <= this.#scriptSeen) return;
    const text = this.#scriptTail + this.#slice(this.#scriptSeen, to);
    this.#scriptSeen = to;
    for (const [begin] of text.matchAll(ESCAPED)) {
      if (begin === '<!--') this.#isScriptComment = true;
      else if (this.#isScriptComment) return this.#stop();
    }
    this.#scriptTail = text.slice(-ESCAPED_TAIL);
  }

  #isSelfRefresh(tag: string): boolean {
    const [element] = parseDocument(tag).children;
    if (!element || !('attribs' in element)) return false;
    const { 'http-equiv': kind, content } = element.attribs;
    if (kind?.toLowerCase() !== 'refresh' || content === undefined) return false;
    const base = this.#hasBase ? undefined : this.#pageUrl;
    return selfRefresh(content, this.#pageUrl, base) !== undefined;
  }

  #stop(): void {
    this.#isOver = true;
    this.#text = '';
    this.#tokenizer.pause();
  }

  /** Of a longer name than any that is looked for its beginning may be gone: then it is none of those. */
  #nameAt(start: number, end: number): string {
    return this.#slice(start, Math.min(end, start + MAX_NAME + 1)).toLowerCase();
  }

  #slice(from: number, to: number): string {
    return this.#text.slice(Math.max(0, from - this.#textFrom), Math.max(0, to - this.#textFrom));
  }

  /** Keep the tag that is being read, if it may be one. */
  #forget(): void {
    if (this.#isOver) return;
    if (this.#metaFrom !== undefined && this.#read - this.#metaFrom > MAX_TAG) {
      this.#metaFrom = undefined;
    }
    const begun = BEGUN.exec(this.#text.slice(-MAX_NAME - 2))?.[0].length ?? 0;
    const keptFrom = this.#metaFrom ?? this.#read - begun;
    this.#text = this.#text.slice(keptFrom - this.#textFrom);
    this.#textFrom = keptFrom;
  }
}
