import { Tokenizer } from 'htmlparser2';
import type { EditFinder, PageEdit } from './page-edit.ts';
import { MAX_LOOKED_AT } from './page-edit.ts';
import { ignored } from './token-handler.ts';

/** What is known of a page before any of it is read. */
export interface PlaceOptions {
  /** XHTML, as browsers read it: names in lower case only, and nothing implied. */
  readonly isXml: boolean;
  /**
   * What becomes of the text: a `document`, whatever it is; one if there is a tag in it, since the
   * browser navigates; or nobody knows, it may be a part of a page that a script asks for.
   */
  readonly becomes: 'document' | 'document-with-tags' | 'unknown';
}

/** Within so much of what begins as no page does, something has to show that it is one. */
const MAX_DOUBT = 2 * 1_024;
/** A tag with a longer name is none that anybody knows. */
const MAX_NAME = 64;

/** Tags that no part of a page begins with. */
const FIRST_IN_PAGES = /^(?:html|head|body|frameset|title|meta|base)$/;
/** Tags that show that it is a page after all. A part may have a `<title>`, for instance in a picture. */
const IN_PAGES = /^(?:html|head|body|frameset)$/;

const BLANKS = /^[\t\n\f\r ]*/;
/** A tag of which the name may go on; in XML it begins with nearly anything. */
const BEGUN_TAG = /^<(?:\/?[a-z][^\t\n\f\r />]*|\/)?$/i;
const BEGUN_XML_TAG = /^<(?:(?:\/[\t\n\f\r ]*|[^\t\n\f\r />!?])[^\t\n\f\r />]*)?$/;
const BEGUN_DECLARATION = /^<!(?:[^-]|$)/;

/**
 * Finds where the first script of a page can stand: first in `<head>`, or where browsers would imply
 * one, before the first tag or text that is neither `<html>` nor a comment nor the doctype.
 *
 * What begins otherwise than pages do may be a part of one, for a script. It has a place if it is known
 * what becomes of it, or if it shows soon that it is a page.
 */
export class PlaceFinder implements EditFinder {
  readonly #isXml: boolean;
  readonly #becomes: PlaceOptions['becomes'];
  readonly #tokenizer: Tokenizer;
  /** What is read and not looked at to its end, behind what is forgotten. */
  #text = '';
  #textFrom = 0;
  #read = 0;
  /** Where the last whole token has ended; of an end tag, its name. */
  #tokenEnd = 0;
  #isInEndTag = false;
  #openFrom = 0;
  #hasRoot = false;
  #isInHead = false;
  #isPage = false;
  /** Where the script is to stand if this is a page. */
  #doubtFrom: number | undefined;
  #place: number | 'none' | undefined;
  #isTaken = false;

  constructor({ isXml, becomes }: PlaceOptions) {
    this.#isXml = isXml;
    this.#becomes = becomes;
    const onTagEnd = (end: number) => {
      this.#endToken(end + 1);
      if (this.#isInHead) this.#found(end + 1);
    };
    this.#tokenizer = new Tokenizer(
      { xmlMode: isXml, decodeEntities: false },
      {
        ...ignored,
        ontext: (start, end) => this.#onText(start, end),
        onopentagname: (start, end) => this.#onTag(start, end),
        onopentagend: onTagEnd,
        onselfclosingtag: (end) => {
          // An empty root.
          if (isXml && !this.#isInHead) this.#found('none');
          onTagEnd(end);
        },
        onclosetag: (start, end) => this.#onEndTag(start, end),
        ondeclaration: (start, end) => this.#onDeclaration(start, end),
        oncomment: (_start, end) => this.#endToken(end + 1),
        onprocessinginstruction: (_start, end) => this.#endToken(end + '?>'.length),
        // In HTML browsers read on behind its first ">"; in XML there is none before the root.
        oncdata: () => this.#found('none'),
      },
    );
  }

  /** Where the script is to stand; `'none'` when there is no place for it. */
  get place(): number | 'none' | undefined {
    return this.#place;
  }

  get openFrom(): number {
    return this.#place === undefined
      ? (this.#doubtFrom ?? this.#openFrom)
      : Number.POSITIVE_INFINITY;
  }

  write(piece: string): void {
    if (this.#place !== undefined) return;
    this.#text += piece;
    this.#read += piece.length;
    this.#tokenizer.write(piece);
    this.#forget();
    const doubt = this.#openFrom - (this.#doubtFrom ?? this.#openFrom);
    if (doubt > MAX_DOUBT || this.#read > MAX_LOOKED_AT) this.#found('none');
  }

  end(): void {
    if (this.#place !== undefined) return;
    this.#found(this.#becomes === 'document' && this.#mayHaveHead ? this.#read : 'none');
  }

  takeEdits(): PageEdit[] {
    if (typeof this.#place !== 'number' || this.#isTaken) return [];
    this.#isTaken = true;
    return [{ at: this.#place, text: 'tags' }];
  }

  #onText(start: number, end: number): void {
    const text = this.#slice(start, end);
    const blanks = BLANKS.exec(text)?.[0].length ?? 0;
    if (blanks < text.length) this.#onContent(start + blanks, 'text');
    this.#endToken(end);
  }

  #onDeclaration(start: number, end: number): void {
    this.#endToken(end + 1);
    // Only an XML parser knows where one with declarations of its own ends.
    if (this.#isXml && this.#slice(start, end).includes('[')) return this.#found('none');
    this.#showsPage(end);
  }

  #onTag(start: number, end: number): void {
    if (end - start > MAX_NAME) return this.#found('none');
    const name = this.#nameAt(start, end);
    const isFirst = this.#doubtFrom === undefined;
    if ((isFirst ? FIRST_IN_PAGES : IN_PAGES).test(name)) this.#showsPage(start - 1);
    if (isFirst && name === 'html') this.#hasRoot = true;
    else if (isFirst && name === 'head' && this.#mayHaveHead) this.#isInHead = true;
    else this.#onContent(start - 1, 'tag');
  }

  #onEndTag(start: number, end: number): void {
    this.#endToken(end);
    this.#isInEndTag = true;
    this.#onContent(start - 2, 'tag');
  }

  /** In XML nothing is implied: the root is the page's own `<html>`, or it is no page. */
  get #mayHaveHead(): boolean {
    return !this.#isXml || this.#hasRoot;
  }

  /** Something stands here that a head has to come before. */
  #onContent(at: number, kind: 'tag' | 'text'): void {
    if (!this.#mayHaveHead) return this.#found('none');
    this.#doubtFrom ??= at;
    const isEnough = kind === 'tag' ? this.#becomes !== 'unknown' : this.#becomes === 'document';
    if (this.#isPage || isEnough) this.#settle(at);
  }

  #showsPage(at: number): void {
    this.#isPage = true;
    if (this.#doubtFrom !== undefined) this.#settle(at);
  }

  /** @param at - Where it was seen that this is a page. */
  #settle(at: number): void {
    const from = this.#doubtFrom ?? at;
    this.#found(at - from > MAX_DOUBT ? 'none' : from);
  }

  #found(place: number | 'none'): void {
    this.#place ??= typeof place === 'number' && place > MAX_LOOKED_AT ? 'none' : place;
    this.#tokenizer.pause();
  }

  #endToken(at: number): void {
    this.#tokenEnd = at;
    this.#isInEndTag = false;
  }

  #nameAt(start: number, end: number): string {
    const name = this.#slice(start, end);
    return this.#isXml ? name : name.toLowerCase();
  }

  #slice(from: number, to: number): string {
    return this.#text.slice(Math.max(0, from - this.#textFrom), Math.max(0, to - this.#textFrom));
  }

  /** Keep the beginning of what has to be known as a whole. */
  #forget(): void {
    if (this.#isInEndTag) {
      const end = this.#text.indexOf('>', Math.max(0, this.#tokenEnd - this.#textFrom));
      if (end === -1) this.#tokenEnd = this.#read;
      else this.#endToken(this.#textFrom + end + 1);
    }
    const isKnown = this.#tokenEnd >= this.#textFrom;
    const rest = isKnown ? this.#text.slice(this.#tokenEnd - this.#textFrom) : '';
    // Of this nobody is told.
    const pending = this.#isXml ? rest : rest.replace(/^(?:<\/>)+/, '');
    this.#tokenEnd += rest.length - pending.length;
    const begun = this.#isXml ? BEGUN_XML_TAG : BEGUN_TAG;
    const isTag = begun.test(pending.slice(0, MAX_NAME + 3));
    const isKept = isTag || (this.#isXml && BEGUN_DECLARATION.test(pending));
    if (isKept && pending.length > (isTag ? MAX_NAME + 2 : MAX_DOUBT)) this.#found('none');
    this.#openFrom = isTag ? this.#tokenEnd : this.#read;
    this.#text = isKept ? pending : '';
    this.#textFrom = this.#read - this.#text.length;
  }
}
