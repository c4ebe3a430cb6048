import type { LiveState } from './live-states.ts';

/** The body of a state as a file of its type. */
export function stateBlob({ data, isBase64, contentType }: LiveState): Blob {
  // The text is in UTF-8 now, whatever it was in.
  const bare = contentType.split(';')[0];
  if (!isBase64) return new Blob([data], { type: `${bare};charset=utf-8` });
  const characters = atob(data);
  const bytes = new Uint8Array(characters.length);
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = characters.charCodeAt(index);
  return new Blob([bytes], { type: contentType });
}
