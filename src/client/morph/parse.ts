/** What of trusted types is needed here. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createHTML: (text: string) => string },
  ): { createHTML(text: string): string };
}

let trust: ((text: string) => string) | undefined;

/**
 * Parse a page; nothing in it runs or is loaded.
 *
 * @returns `undefined` where it is no page, or where the page's policy forbids to parse one.
 */
export function parse(text: string, contentType: string): Document | undefined {
  const type = /^\s*application\/xhtml\+xml/i.test(contentType)
    ? 'application/xhtml+xml'
    : 'text/html';
  trust = trust ?? createTrust();
  try {
    const page = new DOMParser().parseFromString(trust(text), type);
    return page?.body && !page.getElementsByTagName('parsererror').length ? page : undefined;
  } catch {
    return undefined;
  }
}

/**
 * SECURITY: the policy says yes to any text. It stays within this file, where the text becomes a document
 * without scripts; it is no way around the page's policy for anybody else.
 */
function createTrust(): (text: string) => string {
  const { trustedTypes } = window as { trustedTypes?: TrustedTypes };
  try {
    const policy = trustedTypes?.createPolicy('comet-proxy', { createHTML: (text) => text });
    if (policy) return (text) => policy.createHTML(text);
  } catch {
    // The page allows policies of other names only. It may do without one for parsing.
  }
  return (text) => text;
}
