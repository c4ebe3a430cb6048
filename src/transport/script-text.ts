/**
 * The inside of a JavaScript string literal in double quotes: pure ASCII, so that no charset of a
 * page and no line separator of an old engine (U+2028) changes it.
 *
 * SECURITY: it holds none of `<`, `>` and `&`: inside `<script>` JSON's own escapes are not enough,
 * `</script>` would end the element and `<!--<script>` would swallow all that follows.
 */
export function scriptText(text: string): string {
  const literal = JSON.stringify(text).replace(/[<>&]|[^ -~]/g, escaped);
  return literal.slice(1, -1);
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
