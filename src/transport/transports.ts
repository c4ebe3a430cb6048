import type { TransportName } from '../protocol/surface.ts';
import type { Framing } from './framing.ts';
import { ndjson } from './ndjson.ts';
import { sse } from './sse.ts';

/** The framing behind each `/_comet/<transport>`. */
export const transports: Readonly<Record<TransportName, Framing>> = { sse, stream: ndjson };
