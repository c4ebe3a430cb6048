/*
 * The change of a page in place, once it is known what stands for what. Nodes are kept wherever they
 * can be, and what is kept stays where it is: focus, scroll positions, selections, frames and videos
 * hang on that.
 */
import { changeAttributes } from './attributes.ts';
import type { Editing } from './fields.ts';
import { isEditable } from './fields.ts';
import { increasing } from './increasing.ts';
import type { Part } from './parts.ts';
import { insideOf, isLeftOut, read, stamp, standFor } from './parts.ts';

/** What all of one change shares. */
export interface Change {
  readonly page: Document;
  readonly editing: Editing;
  /** How many texts, attributes and nodes were changed. */
  count: number;
  /** Something of the next page was held back for the user. */
  isHeldBack: boolean;
}

interface Movable extends Node {
  moveBefore?(node: Node, before: Node | null): void;
}

/**
 * Change what stands for a part of the previous page, which has been paired with the next one.
 *
 * @returns The part as it now is in the page: that of the next page, with whatever was held back.
 */
export function changePart(old: Part, next: Part, change: Change): Part {
  if (old.print === next.print) return old;
  const { live } = old;
  next.live = live;
  if (!live) return next;
  if (isUsers(old, live, change.editing)) {
    change.isHeldBack = true;
    return old;
  }
  if (!next.name) {
    changeText(live as Text, next.text, change);
    return next;
  }
  const element = live as Element;
  changeAttributes(old, next, element, change);
  if (element.localName === 'textarea') changeLines(old, next, element, change);
  else changeChildren(old, next, insideOf(live), change);
  stamp(next);
  return next;
}

/** A list that is open, and what is being written into the page itself, are left alone altogether. */
function isUsers(old: Part, live: Node, { focus }: Editing): boolean {
  if (old.name === 'select' && live === focus) return true;
  if (!isEditable(live)) return false;
  return (focus && live.contains(focus)) || isRewritten(old, live);
}

function isRewritten(old: Part, live: Node): boolean {
  const textOf = ({ text, children }: Part): string => text + children.map(textOf).join('');
  const bare = (text: string) => text.replace(/\s+/g, '');
  return bare(textOf(old)) !== bare(live.textContent ?? '');
}

/** Write only what differs: a selection in the rest of the text stays. */
function changeText(live: Text, text: string, change: Change): void {
  const shown = live.data;
  if (shown === text) return;
  const most = Math.min(shown.length, text.length);
  let start = 0;
  while (start < most && shown[start] === text[start]) start += 1;
  let end = 0;
  while (end < most - start && shown[shown.length - 1 - end] === text[text.length - 1 - end]) {
    end += 1;
  }
  live.replaceData(start, shown.length - start - end, text.slice(start, text.length - end));
  change.count += 1;
}

function changeLines(old: Part, next: Part, element: Element, change: Change): void {
  const area = element as HTMLTextAreaElement;
  if (change.editing.holds(area)) {
    next.children = old.children;
    change.isHeldBack = true;
    return;
  }
  const text = next.children.map((child) => child.text).join('');
  if (area.defaultValue !== text) {
    area.defaultValue = text;
    change.count += 1;
  }
  if (area.value !== area.defaultValue) area.value = area.defaultValue;
}

function changeChildren(old: Part, next: Part, inside: Node, change: Change): void {
  for (const { twin, live } of old.children) {
    if (twin || !live?.parentNode) continue;
    live.parentNode.removeChild(live);
    change.count += 1;
  }
  const stays = whatStays(next.children, inside, change.editing.focus);
  const firstStaying = next.children.filter((_, index) => stays[index])[0]?.twin?.live ?? null;
  let last: Node | undefined;
  const put = (node: Node): void => {
    place(inside, node, last ? last.nextSibling : firstStaying);
    change.count += 1;
    last = node;
  };
  next.children = next.children.map((child, index) => {
    if (!child.twin) {
      const inserted = insertable(child.node as Node, change.page);
      put(inserted.live as Node);
      return inserted;
    }
    const kept = changePart(child.twin, child, change);
    const { live } = kept;
    if (live && live.parentNode === inside) {
      if (stays[index]) last = live;
      else put(live);
    }
    return kept;
  });
}

/** Of the children of the next page those that need not move; what has the focus must not. */
function whatStays(parts: readonly Part[], inside: Node, focus: Node | undefined): boolean[] {
  const here = parts.filter(({ twin }) => twin?.live && twin.live.parentNode === inside);
  let pinned = -1;
  here.forEach(({ twin }, index) => {
    if (focus && twin?.live?.contains(focus)) pinned = index;
  });
  const places = here.map(({ twin }) => twin?.place ?? 0);
  const stay = increasing(places, pinned);
  let index = 0;
  return parts.map((part) => {
    if (part !== here[index]) return false;
    index += 1;
    return stay[index - 1] === true;
  });
}

/** A part of the next page with a node that stands for it. */
function insertable(source: Node, page: Document): Part {
  const node = page.importNode(source, true);
  const part = read(source);
  if (part.name) clean(node as Element);
  standFor(node, part);
  return part;
}

/** SECURITY: no script of a page that is not loaded runs here. Those of a parsed page never run; in XHTML they could. */
function clean(element: Element): void {
  const found = element.querySelectorAll('script,noscript,meta');
  for (let index = 0; index < found.length; index += 1) {
    const inner = found[index];
    if (inner && isLeftOut(inner)) inner.parentNode?.removeChild(inner);
  }
}

/** By `moveBefore`, where there is one, a frame that moves is not loaded again. */
function place(inside: Movable, node: Node, before: Node | null): void {
  if (inside.moveBefore && node.parentNode) inside.moveBefore(node, before);
  else inside.insertBefore(node, before);
}
