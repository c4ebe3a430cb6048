import { pairChildren } from './pair.ts';
import type { Part } from './parts.ts';
import { childrenOf, isBlank, standFor } from './parts.ts';

/** Scripts wrap tables and menus in boxes, and boxes in boxes. */
const MOST_WRAPPERS = 4;

/**
 * Find what stands in the shown page for each part of the page that the server sent. What scripts have
 * added stands for nothing, and for what they have removed nothing stands.
 *
 * @param shown - The shown page, read from its own nodes.
 */
export function align(sent: Part, shown: Part): void {
  sent.live = shown.node;
  if (sent.print === shown.print) {
    if (shown.node) standFor(shown.node, sent);
    return;
  }
  pairChildren(sent.children, childrenOf(shown));
  alignPairs(sent.children);
  let missing = sent.children.filter(isMissing);
  let strangers = shown.children.filter(isMissing);
  for (let depth = 0; depth < MOST_WRAPPERS && missing.length && strangers.length; depth += 1) {
    let within: Part[] = [];
    for (const stranger of strangers) within = within.concat(childrenOf(stranger));
    pairChildren(missing, within);
    alignPairs(missing);
    missing = missing.filter(isMissing);
    strangers = within.filter(isMissing);
  }
}

function alignPairs(parts: readonly Part[]): void {
  for (const part of parts) if (part.twin) align(part, part.twin);
}

function isMissing(part: Part): boolean {
  return !part.twin && !isBlank(part);
}
