/** The tags that the proxy puts into pages. */
const OUR_SCRIPT = /^[^?#]*\/_comet\//;

/**
 * List what a page does when it is loaded and what no change of it can do: its scripts with all that is
 * in them, for data that inline scripts draw comes with a load only; its policy; styles that the policy
 * lets in by a nonce, of which each answer has another.
 */
export function loadsOf(page: Document): string[] {
  const found = page.querySelectorAll('script,meta[http-equiv],style[nonce],link[nonce]');
  const loads: string[] = [];
  for (let index = 0; index < found.length; index += 1) {
    const load = loadOf(found[index] as HTMLElement);
    if (load) loads.push(load);
  }
  return loads;
}

/** Whether a page would do something when it is loaded that the other one did not. */
export function hasNewLoad(before: readonly string[], after: readonly string[]): boolean {
  const counts: Record<string, number> = Object.create(null);
  for (const load of before) counts[load] = (counts[load] ?? 0) + 1;
  return after.some((load) => {
    const left = counts[load] ?? 0;
    counts[load] = left - 1;
    return left < 1;
  });
}

/** Whether a page is made of frames, which are pages of their own. */
export function hasFrames(page: Document): boolean {
  return page.getElementsByTagName('frameset').length > 0;
}

function loadOf(element: HTMLElement): string | undefined {
  if (isInNoscript(element)) return undefined;
  switch (element.localName) {
    case 'script': {
      const source = element.getAttribute('src');
      if (source !== null && OUR_SCRIPT.test(source)) return undefined;
      const content = source === null ? (element.textContent ?? '') : `from ${source}`;
      return `script ${element.getAttribute('type') ?? ''} ${content}`;
    }
    case 'meta':
      return /^\s*content-security-policy\s*$/i.test(element.getAttribute('http-equiv') ?? '')
        ? `policy ${element.getAttribute('content') ?? ''}`
        : undefined;
    default:
      return `nonce ${element.localName}`;
  }
}

function isInNoscript(element: Element): boolean {
  for (let at = element.parentElement; at; at = at.parentElement) {
    if (at.localName === 'noscript') return true;
  }
  return false;
}
