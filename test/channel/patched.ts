import type { ChannelEvent } from '../../src/protocol/event.ts';
import { patchEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';

/** The state `a-<seq>` with the difference to the state just before it, which names that one. */
export function changed(seq: number): ChannelEvent {
  const [id, base] = [`a-${seq}`, `a-${seq - 1}`];
  return { ...snapshot(id), patch: { base, event: patchEvent('json', id, `"from ${base}"`) } };
}
