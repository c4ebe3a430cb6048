import { Parser } from 'htmlparser2';
import type { Attribute } from './markup-writer.ts';
import { MarkupWriter } from './markup-writer.ts';
import type { Compare, Path, Paths } from './part-paths.ts';
import { MAX_LEVELS, pathsBelow, TooDeep, unlessTooDeep } from './part-paths.ts';

/**
 * What counts of an XML document, as a text that is the same for two documents exactly when that
 * is; `undefined` for a document that is nested deeper than `MAX_LEVELS`.
 *
 * Paths name elements from the root, by their names as they are written, prefixes included; a last
 * segment `@name` names attributes. What is ignored is taken out; what is selected is compared
 * together with the way to it. `MarkupWriter` says what else does not count.
 */
export function canonicalXml(text: string, paths: Paths, compare: Compare): string | undefined {
  return unlessTooDeep(() => {
    const reader = new PartsReader(paths, compare);
    // SECURITY: no entity is defined or fetched, whatever the document type says.
    new Parser(reader, { xmlMode: true }).end(text);
    return reader.toString();
  });
}

/** An open element, as far as paths go. */
interface Level {
  /** The names from the root to here. */
  readonly way: string;
  /** Paths that lead on from here. */
  readonly ignore: readonly Path[];
  readonly select: readonly Path[];
  /** Paths that selected this very element. */
  readonly selectedBy: readonly Path[];
}

/** Takes the parser's events, and passes on those that count. */
class PartsReader {
  readonly #levels: Level[];
  readonly #writers: ReadonlyMap<Path | undefined, MarkupWriter>;
  /** Those that write now. A path never finds an element within an element that it found. */
  readonly #writing = new Set<MarkupWriter>();
  /** Open elements from the outermost that is ignored on; then nothing of it counts. */
  #ignoredLevels = 0;
  /** The tag that is being read. */
  #tag: { readonly name: string; readonly attributes: Attribute[] } | undefined;

  constructor({ select, ignore }: Paths, compare: Compare) {
    this.#levels = [{ way: '', ignore, select, selectedBy: [] }];
    const whole = new MarkupWriter(compare);
    this.#writers =
      select.length === 0
        ? new Map([[undefined, whole]])
        : new Map(select.map((path) => [path, new MarkupWriter(compare)]));
    if (select.length === 0) this.#writing.add(whole);
  }

  toString(): string {
    return [...this.#writers.values()].join('\n');
  }

  onopentagname(name: string): void {
    if (this.#levels.length + this.#ignoredLevels > MAX_LEVELS) throw new TooDeep();
    const above = this.#levels.at(-1);
    const depth = this.#levels.length - 1;
    const ignored = pathsBelow(above?.ignore ?? [], depth, name);
    if (this.#ignoredLevels > 0 || ignored.end.length > 0) {
      this.#ignoredLevels += 1;
      return;
    }
    const selected = pathsBelow(above?.select ?? [], depth, name);
    const way = `${above?.way}/${name}`;
    this.#levels.push({
      way,
      ignore: ignored.leadOn,
      select: selected.leadOn,
      selectedBy: selected.end,
    });
    for (const path of selected.end) this.#begin(path, way);
    this.#tag = { name, attributes: [] };
  }

  onattribute(name: string, value: string): void {
    const level = this.#levels.at(-1);
    if (this.#ignoredLevels > 0 || !level) return;
    const depth = this.#levels.length - 1;
    const attribute = `@${name}`;
    if (attributesBelow(level.ignore, depth, attribute).length > 0) return;
    this.#tag?.attributes.push([name, value]);
    for (const path of attributesBelow(level.select, depth, attribute)) {
      this.#begin(path, `${level.way}/${attribute}`)?.text(value);
      this.#end(path);
    }
  }

  onopentag(): void {
    const tag = this.#tag;
    this.#tag = undefined;
    if (tag) this.#write((writer) => writer.open(tag.name, tag.attributes));
  }

  onclosetag(): void {
    if (this.#ignoredLevels > 0) {
      this.#ignoredLevels -= 1;
      return;
    }
    // A document that ends within a tag closes what it never opened.
    this.onopentag();
    this.#write((writer) => writer.close());
    for (const path of this.#levels.pop()?.selectedBy ?? []) this.#end(path);
  }

  ontext(data: string): void {
    this.#write((writer) => writer.text(data));
  }

  oncomment(data: string): void {
    this.#write((writer) => writer.comment(data));
  }

  onprocessinginstruction(_name: string, data: string): void {
    this.#write((writer) => writer.instruction(data));
  }

  #write(action: (writer: MarkupWriter) => void): void {
    if (this.#ignoredLevels === 0) for (const writer of this.#writing) action(writer);
  }

  #begin(path: Path, way: string): MarkupWriter | undefined {
    const writer = this.#writers.get(path);
    if (writer) this.#writing.add(writer);
    writer?.begin(way);
    return writer;
  }

  #end(path: Path): void {
    const writer = this.#writers.get(path);
    writer?.end();
    if (writer) this.#writing.delete(writer);
  }
}

/** The paths that end at an attribute: `*` alone means elements only. */
function attributesBelow(paths: readonly Path[], depth: number, name: string): readonly Path[] {
  if (paths.length === 0) return paths;
  const named = paths.filter((path) => path[depth]?.startsWith('@'));
  return pathsBelow(named, depth, name).end;
}
