import { pairChildren } from './pair.ts';
import type { Part } from './parts.ts';
import { attributeOf, isBlank, stamp } from './parts.ts';

/** Whether a page can be what the server sent before the next one. */
export type Guess = 'likely' | 'unknown';

/**
 * Make of the shown page what the server may have sent: without the attributes, the words of `class`
 * and the elements of the head that only the shown page has. Of anything else that is not in the next
 * page it cannot be told whether a script has put it in or the server has taken it out.
 */
export function guess(shown: Part, next: Part): Guess {
  if (shown.print === next.print) return 'likely';
  pairChildren(shown.children, next.children);
  const isKnown = shown.children.every((child) => child.twin || isBlank(child));
  if (!isKnown && shown.name !== 'head') return 'unknown';
  shown.children = shown.children.filter((child) => child.twin);
  for (const child of shown.children) {
    if (child.twin && guess(child, child.twin) === 'unknown') return 'unknown';
  }
  guessAttributes(shown, next);
  stamp(shown);
  return 'likely';
}

function guessAttributes(shown: Part, next: Part): void {
  shown.attributes = shown.attributes
    .filter(({ name }) => attributeOf(next, name) !== undefined)
    .map((attribute) => {
      const { name, value } = attribute;
      const sent = attributeOf(next, name) ?? '';
      if (name === 'style') return { ...attribute, value: sent };
      if (name !== 'class') return attribute;
      const words = sent.split(/\s+/);
      const both = value.split(/\s+/).filter((word) => words.indexOf(word) >= 0);
      return { ...attribute, value: both.length === words.length ? sent : both.join(' ') };
    });
}
