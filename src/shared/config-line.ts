/** A key with a list of JSON texts, as it can stand in the config. */
export function configLine(key: string, items: readonly string[]): string {
  return `${JSON.stringify(key)}: [${[...new Set(items)].join(', ')}]`;
}
