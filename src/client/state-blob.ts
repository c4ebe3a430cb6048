import { bytesOf } from './answer.ts';
import type { LiveState } from './live-states.ts';

/** The body of a state as a file of its type. */
export function stateBlob(state: LiveState): Blob {
  const { isBase64, contentType } = state;
  // A text is in UTF-8 now, whatever it was in.
  const type = isBase64 ? contentType : `${contentType.split(';')[0]};charset=utf-8`;
  return new Blob([bytesOf(state)], { type });
}
