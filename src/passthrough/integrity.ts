/** Longest tag that is waited for: a longer one passes as it is. */
const MAX_TAG_BYTES = 8 * 1_024;

const BEGIN = /<(?:script|link)(?=[\s/>])/gi;
const BEGUN = /<(?:[a-z]{0,6})$/i;
/** One attribute with the space before it, values taken as a whole. */
const ATTRIBUTE = /(?<!\s)\s*([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?/g;

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
    return this.#strip(this.#held + piece, false);
  }

  /** The rest. */
  end(): string {
    return this.#strip(this.#held, true);
  }

  #strip(text: string, isLast: boolean): string {
    let output = '';
    let from = 0;
    let held = text.length;
    BEGIN.lastIndex = 0;
    for (let match = BEGIN.exec(text); match; match = BEGIN.exec(text)) {
      const end = endOfTag(text, BEGIN.lastIndex);
      if (end === undefined) {
        const isTooLong = text.length - match.index > MAX_TAG_BYTES;
        if (!isTooLong && !isLast) held = match.index;
        // What has been looked through once is not looked through again.
        break;
      }
      output += text.slice(from, match.index) + this.#stripTag(text.slice(match.index, end));
      from = end;
      BEGIN.lastIndex = end;
    }
    if (!isLast && held === text.length) held -= BEGUN.exec(text.slice(from))?.[0].length ?? 0;
    this.#held = isLast ? '' : text.slice(held);
    return output + text.slice(from, isLast ? text.length : held);
  }

  #stripTag(tag: string): string {
    const address = [...tag.matchAll(ATTRIBUTE)].find(([, name]) =>
      /^(?:src|href)$/i.test(name ?? ''),
    );
    const url = (address?.[2] ?? '').replace(/^["']/, '');
    const host = /^\s*(?:https?:)?\/\/([^/?#"']*)/i.exec(url)?.[1];
    const isOwn = host === undefined || host.toLowerCase() === this.#ownAuthority;
    if (!isOwn) return tag;
    return tag.replace(ATTRIBUTE, (attribute, name: string) =>
      name.toLowerCase() === 'integrity' ? '' : attribute,
    );
  }
}

/** Where the tag ends whose attributes begin here; a `>` in a quoted value is none. */
function endOfTag(text: string, from: number): number | undefined {
  let quote = '';
  const last = Math.min(text.length, from + MAX_TAG_BYTES);
  for (let i = from; i < last; i++) {
    const char = text[i] as string;
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '>') {
      return i + 1;
    } else if (char === '"' || char === "'") {
      quote = char;
    }
  }
  return undefined;
}
