/** Longest tag that is waited for: a longer one passes as it is. */
const MAX_TAG_BYTES = 8 * 1_024;

const TAG = /<(?:script|link)(?=[\s/>])[^>]*>/gi;
const BEGUN = /<(?:[a-z]{0,6}|(?:script|link)(?:[\s/][^>]*)?)$/i;
const INTEGRITY = /\s+integrity\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+)/gi;
const ADDRESS = /\s(?:src|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;

/**
 * Takes the `integrity` attribute from tags that load scripts and styles of the site itself: they
 * may be rewritten, and their hash would not be theirs any more. Those of other hosts keep it.
 *
 * Texts are latin1 and come in pieces.
 */
export class IntegrityStripper {
  readonly #ownAuthority: string;
  #held = '';

  /** @param ownAuthority - Host and port of the site as the client knows it, in lower case. */
  constructor(ownAuthority: string) {
    this.#ownAuthority = ownAuthority;
  }

  /** Change the next piece; a tag that is not whole is held back. */
  write(piece: string): string {
    const text = this.#held + piece;
    const begun = BEGUN.exec(text.slice(-MAX_TAG_BYTES));
    const end = begun ? text.length - begun[0].length : text.length;
    this.#held = text.slice(end);
    return this.#strip(text.slice(0, end));
  }

  /** The rest. */
  end(): string {
    return this.#strip(this.#held);
  }

  #strip(text: string): string {
    return text.replace(TAG, (tag) => {
      const [, double, single, bare] = ADDRESS.exec(tag) ?? [];
      const host = /^\s*(?:https?:)?\/\/([^/?#]*)/i.exec(double ?? single ?? bare ?? '')?.[1];
      const isOwn = host === undefined || host.toLowerCase() === this.#ownAuthority;
      return isOwn ? tag.replace(INTEGRITY, '') : tag;
    });
  }
}
