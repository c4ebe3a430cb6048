import { Parser } from 'htmlparser2';
import { MAX_LEVELS, TooDeep, unlessTooDeep } from './part-paths.ts';
import type { Place } from './places.ts';
import { createPlace } from './places.ts';

/** What is at the places of a document, in its order: elements of the same way are one place. */
interface Content {
  readonly children: Map<string, Content>;
  /** The own text of each element, the value of each attribute. */
  readonly texts: string[];
}

/**
 * The places of two XML documents: elements by their names, attributes as `@name`; `undefined` when
 * one is nested too deeply.
 */
export function xmlPlaces(before: string, after: string): Place | undefined {
  return unlessTooDeep(() => placeOf(contentOf(before), contentOf(after)));
}

function contentOf(document: string): Content {
  const root = createContent();
  const open: Content[] = [];
  const here = () => open.at(-1) ?? root;
  const parser = new Parser(
    {
      onopentagname(name) {
        const element = childOf(here(), name);
        element.texts.push('');
        if (open.push(element) > MAX_LEVELS) throw new TooDeep();
      },
      onattribute(name, value) {
        childOf(here(), `@${name}`).texts.push(value);
      },
      onclosetag() {
        open.pop();
      },
      ontext(data) {
        const text = data.trim();
        const { texts } = here();
        // Elements do not lie in elements of the same way: the last one is the one that is open.
        if (text !== '' && open.length > 0) texts.push(`${texts.pop()}${text}`);
      },
    },
    { xmlMode: true },
  );
  parser.end(document);
  return root;
}

function createContent(): Content {
  return { children: new Map(), texts: [] };
}

function childOf(content: Content, name: string): Content {
  const known = content.children.get(name);
  if (known) return known;
  const made = createContent();
  content.children.set(name, made);
  return made;
}

function placeOf(before: Content | undefined, after: Content | undefined): Place {
  const place = createPlace();
  place.differs = JSON.stringify(before?.texts) !== JSON.stringify(after?.texts);
  const names = new Set([...(before?.children.keys() ?? []), ...(after?.children.keys() ?? [])]);
  for (const name of names) {
    place.children.set(name, placeOf(before?.children.get(name), after?.children.get(name)));
  }
  return place;
}
