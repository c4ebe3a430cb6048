/*
 * A page as a morph looks at it: elements and texts in their order, each with a print. What has equal
 * prints is equal throughout, so that two pages are compared by looking only at what differs.
 *
 * Left out, so that they are never compared, touched, removed or inserted: scripts, which do not run
 * twice; `<noscript>`, which is markup in a parsed page and text in one that runs; refreshes by
 * `<meta>`, which would start; comments; space where it shows nowhere.
 */

import { printOf } from './print.ts';

/** An attribute as the page has it. */
export interface Attribute {
  readonly name: string;
  readonly namespace: string | null;
  readonly value: string;
}

/** An element or a text of a page. */
export interface Part {
  /** Which parts can be the same thing in two pages: name, `id`, and what a field is called. */
  readonly kind: string;
  /** The name of an element, or `''` for a text. */
  readonly name: string;
  attributes: readonly Attribute[];
  readonly text: string;
  children: readonly Part[];
  /** The same number as that of any equal part. */
  print: number;
  /** Where it was read; let go when the page has been changed. */
  node: Node | undefined;
  /** What stands for it in the shown page; `undefined` where nothing does. */
  live: Node | undefined;
  /** The children are those of an equal part of another page. */
  isBorrowing: boolean;
  /** While two pages are compared: what it is in the other one. */
  twin: Part | undefined;
  /** While two pages are compared: its place among its siblings. */
  place: number;
}

const ELEMENT = 1;
const TEXT = 3;
const CDATA = 4;

const LEFT_OUT = words('script noscript');
const SPACE_SHOWS_NOT = words(
  'html head table thead tbody tfoot tr colgroup select optgroup ul ol dl',
);
const FIELD = words('input select textarea button');
const ONLY_ONE = words('html head body');
const HTML = 'http://www.w3.org/1999/xhtml';
const NONE: readonly never[] = [];

/** A part that was read before, and where it was read. */
export interface Read {
  readonly part: Part;
  readonly node: Node;
}

/**
 * Read an element or a text, and all below it.
 *
 * @param like - What it probably is equal to, which is not read again: browsers compare faster than
 * scripts read.
 */
export function read(node: Node, like?: Read): Part {
  return (like && unchanged(node, like)) || readAnew(node, like);
}

function unchanged(node: Node, { part, node: former }: Read): Part | undefined {
  return former.isEqualNode(node)
    ? { ...part, node, live: undefined, twin: undefined, isBorrowing: true }
    : undefined;
}

/** The children of a part, which may be changed and compared. */
export function childrenOf(part: Part): readonly Part[] {
  if (part.isBorrowing && part.node) {
    part.children = readAnew(part.node, undefined).children;
    part.isBorrowing = false;
  }
  return part.children;
}

function readAnew(node: Node, like: Read | undefined): Part {
  if (node.nodeType !== ELEMENT) return partOf(node, '', '', node.nodeValue ?? '', NONE, NONE);
  const element = node as Element;
  const { localName } = element;
  const attributes = element.hasAttributes() ? readAttributes(element) : NONE;
  const kind = kindOf(element, localName, attributes);
  const nodes = partNodes(element, localName);
  const children = like
    ? readChildren(nodes, like)
    : nodes.map((child) => readAnew(child, undefined));
  return partOf(node, localName, kind, '', attributes, children);
}

/** Children are probably equal to those at the same place, counted from the front or from the back. */
function readChildren(nodes: readonly Node[], { part, node }: Read): Part[] {
  const formers = part.name ? partNodes(node as Element, part.name) : [];
  const likeAt = (place: number): Read | undefined => {
    const [child, former] = [part.children[place], formers[place]];
    return child && former && { part: child, node: former };
  };
  const shift = nodes.length - formers.length;
  return nodes.map((child, place) => {
    const [front, back] = [likeAt(place), shift ? likeAt(place - shift) : undefined];
    const same = (front && unchanged(child, front)) ?? (back && unchanged(child, back));
    return same ?? readAnew(child, front);
  });
}

function partOf(
  node: Node,
  name: string,
  kind: string,
  text: string,
  attributes: readonly Attribute[],
  children: readonly Part[],
): Part {
  const print = printOf(kind, text, attributes, children);
  const [live, twin, isBorrowing] = [undefined, undefined, false];
  return {
    kind,
    name,
    attributes,
    text,
    children,
    print,
    node,
    live,
    isBorrowing,
    twin,
    place: 0,
  };
}

/** Give a part its print when something of it was changed. */
export function stamp(part: Part): void {
  part.print = printOf(part.kind, part.text, part.attributes, part.children);
}

/** A node stands for a part that is equal to it, and so do those below. */
export function standFor(node: Node, part: Part): void {
  part.live = node;
  if (!part.name) return;
  const nodes = partNodes(node as Element, part.name);
  part.children.forEach((child, place) => {
    const below = nodes[place];
    if (below) standFor(below, child);
  });
}

/** Let go of the documents that the parts of a page were read from and compared with. */
export function settle(part: Part): void {
  part.node = undefined;
  part.twin = undefined;
  for (const child of part.children) settle(child);
}

/** What the children of an element are children of. */
export function insideOf(node: Node): Node {
  return (node as HTMLTemplateElement).localName === 'template'
    ? ((node as HTMLTemplateElement).content ?? node)
    : node;
}

/** Attributes as one text. */
export function textOf(attributes: readonly Attribute[]): string {
  return attributes.map(({ name, value }) => `${name}=${value}`).join('\0');
}

/** The value of an attribute. */
export function attributeOf(part: Part, name: string): string | undefined {
  for (const attribute of part.attributes) if (attribute.name === name) return attribute.value;
  return undefined;
}

/** Whether nothing of it can be seen. */
export function isBlank(part: Part): boolean {
  return !part.name && !/\S/.test(part.text);
}

/** Whether a node of an inserted tree is to be left out of the page. */
export function isLeftOut(element: Element, name = element.localName): boolean {
  return (
    LEFT_OUT[name] === true ||
    (name === 'meta' && /^\s*refresh\s*$/i.test(element.getAttribute('http-equiv') ?? ''))
  );
}

function partNodes(parent: Element, parentName: string): Node[] {
  const nodes: Node[] = [];
  const isLoose = SPACE_SHOWS_NOT[parentName] === true;
  const inside = parentName === 'template' ? insideOf(parent) : parent;
  for (let node = inside.firstChild; node; node = node.nextSibling) {
    if (isPart(node, isLoose)) nodes.push(node);
  }
  return nodes;
}

function isPart(node: Node, isLoose: boolean): boolean {
  const { nodeType } = node;
  if (nodeType === ELEMENT) return !isLeftOut(node as Element);
  if (nodeType !== TEXT && nodeType !== CDATA) return false;
  return !isLoose || /\S/.test(node.nodeValue ?? '');
}

function readAttributes(element: Element): Attribute[] {
  const read: Attribute[] = [];
  const { attributes } = element;
  for (let index = 0; index < attributes.length; index += 1) {
    const attribute = attributes[index];
    // A page that runs hides the nonce that it was sent with, and each answer has another one.
    if (!attribute || attribute.name === 'nonce') continue;
    const { name, namespaceURI, value } = attribute;
    read.push({ name, namespace: namespaceURI, value });
  }
  return read;
}

function kindOf(element: Element, name: string, attributes: readonly Attribute[]): string {
  const { namespaceURI } = element;
  let kind = namespaceURI === HTML ? name : `${namespaceURI} ${name}`;
  if (!attributes.length || ONLY_ONE[name]) return kind;
  if (FIELD[name]) {
    kind += ` ${element.getAttribute('type') ?? ''} ${element.getAttribute('name') ?? ''}`;
  }
  const id = element.getAttribute('id');
  return id ? `${kind}#${id}` : kind;
}

function words(list: string): Record<string, true | undefined> {
  const found: Record<string, true | undefined> = Object.create(null);
  for (const word of list.split(' ')) found[word] = true;
  return found;
}
