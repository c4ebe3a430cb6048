import { isEditable } from './fields.ts';
import { pairChildren } from './pair.ts';
import type { Part } from './parts.ts';
import { childrenOf, isBlank } from './parts.ts';

/** Whether what the server changed can be shown: not if scripts have put something else in its place. */
export type Match = 'whole' | 'lost';

/** Pair the previous page with the next one wherever they differ. */
export function match(old: Part, next: Part): Match {
  if (old.print === next.print) return 'whole';
  if (!old.live) return isBlank(old) && isBlank(next) ? 'whole' : 'lost';
  // The text of a field is its value.
  if (old.name === 'textarea') return 'whole';
  pairChildren(old.children, childrenOf(next));
  let result: Match = 'whole';
  for (const child of next.children) {
    if (child.twin && match(child.twin, child) === 'lost') result = 'lost';
  }
  // What is in the head shows by its effects only, and what the user writes is the user's.
  const isFree = old.name === 'head' || isEditable(old.live);
  return isFree ? 'whole' : result;
}
