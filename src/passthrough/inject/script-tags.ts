/** What the tags in one page say. */
export interface TagsOptions {
  /** Of the script: its files may be cached for ever under it. */
  readonly version: string;
  readonly isXml: boolean;
  readonly nonce: string | undefined;
  /** The `Comet-Live` of a page that is live itself. */
  readonly live: string | undefined;
  /** The `Refresh` header that was taken off. */
  readonly refresh: { readonly seconds: number; readonly content: string } | undefined;
}

/** The tags that load the script: in ASCII, so that they are the same bytes in every charset. */
export function scriptTags({ version, isXml, nonce, live, refresh }: TagsOptions): string {
  const attributes = [
    ...(nonce === undefined ? [] : [attribute('nonce', nonce)]),
    ...(live === undefined ? [] : [attribute('data-page', live)]),
    ...(refresh ? [attribute('data-refresh', String(refresh.seconds))] : []),
  ].join('');
  const script = (file: string, before: string) =>
    `<script${before}${attribute('src', `/_comet/${file}?v=${version}`)}${attributes}></script>`;
  // XML knows no attribute without a value.
  const tags =
    script('client.js', '') + script('client.es5.js', isXml ? ' nomodule="nomodule"' : ' nomodule');
  if (!refresh) return tags;
  return `${tags}<noscript><meta http-equiv="refresh"${attribute('content', refresh.content)}></noscript>`;
}

/** SECURITY: nothing in a value can end it, in HTML or in XML, whatever the page's charset. */
function attribute(name: string, value: string): string {
  const escaped = value.replace(/[^\x20-\x7e]|[&"'<>`]/gu, (character) => {
    return `&#${character.codePointAt(0) ?? 0};`;
  });
  return ` ${name}="${escaped}"`;
}
