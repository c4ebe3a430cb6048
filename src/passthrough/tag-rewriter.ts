import { mapPolicy } from './content-security-policy.ts';

/** Longest tag that is waited for: a longer one passes as it is. */
const MAX_TAG_BYTES = 8 * 1_024;

const BEGIN = /<(?:script|link|meta)(?=[\s/>])/gi;
const BEGUN = /<(?:[a-z]{0,6})$/i;
/** One attribute with the space before it, values taken as a whole. */
const ATTRIBUTE = /(?<!\s)\s*([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?/g;

/**
 * Changes what is more than a URL in the tags of a page. Of tags that load scripts and styles of the
 * site itself it takes the `integrity`: they may be rewritten, and their hash would not be theirs
 * any more; those of other hosts keep it. In a policy that stands in a `<meta>` it lets hosts of the
 * Comet origins be `'self'`, as in the header.
 *
 * Texts are latin1 and come in pieces.
 */
export class TagRewriter {
  readonly #ownAuthority: string;
  readonly #authorities: readonly string[];
  #held = '';

  /**
   * @param ownAuthority - Host and port of the site as the client knows it, in lower case.
   * @param authorities - Those of the Comet origins.
   */
  constructor(ownAuthority: string, authorities: readonly string[]) {
    this.#ownAuthority = ownAuthority;
    this.#authorities = authorities;
  }

  /** Change the next piece; a tag that is not whole is held back. */
  write(piece: string): string {
    return this.#rewrite(this.#held + piece, false);
  }

  /** The rest. */
  end(): string {
    return this.#rewrite(this.#held, true);
  }

  #rewrite(text: string, isLast: boolean): string {
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
      output += text.slice(from, match.index) + this.#rewriteTag(text.slice(match.index, end));
      from = end;
      BEGIN.lastIndex = end;
    }
    if (!isLast && held === text.length) held -= BEGUN.exec(text.slice(from))?.[0].length ?? 0;
    this.#held = isLast ? '' : text.slice(held);
    return output + text.slice(from, isLast ? text.length : held);
  }

  #rewriteTag(tag: string): string {
    const values = new Map<string, string>();
    for (const [, name = '', value = ''] of tag.matchAll(ATTRIBUTE)) {
      values.set(name.toLowerCase(), value.replace(/^["']|["']$/g, ''));
    }
    if (/^<meta/i.test(tag)) {
      const isPolicy = /^content-security-policy$/i.test(values.get('http-equiv')?.trim() ?? '');
      return isPolicy ? this.#mapPolicyIn(tag) : tag;
    }
    const url = values.get('src') ?? values.get('href') ?? '';
    const host = /^\s*(?:https?:)?\/\/([^/?#]*)/i.exec(url)?.[1];
    const isOwn = host === undefined || host.toLowerCase() === this.#ownAuthority;
    if (!isOwn || !values.has('integrity')) return tag;
    return tag.replace(ATTRIBUTE, (attribute, name: string) =>
      name.toLowerCase() === 'integrity' ? '' : attribute,
    );
  }

  #mapPolicyIn(tag: string): string {
    return tag.replace(ATTRIBUTE, (attribute, name: string, value = '') => {
      const quote = /^["']/.exec(value)?.[0];
      if (name.toLowerCase() !== 'content' || quote === undefined) return attribute;
      const written = value.slice(1, -1).replace(/&(?:#0*39|#x0*27|apos);/gi, "'");
      const policy = mapPolicy(written, this.#authorities);
      if (policy === written) return attribute;
      const quoted = quote === '"' ? policy : policy.replaceAll("'", '&#39;');
      return attribute.slice(0, -value.length) + quote + quoted + quote;
    });
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
