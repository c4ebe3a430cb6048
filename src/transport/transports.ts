import type { TransportName } from '../protocol/surface.ts';
import type { Framing } from './framing.ts';
import type { Gate } from './gate.ts';
import { frameGate, readerGate, scriptGate } from './gate.ts';
import { directIframe, sandboxedIframe } from './iframe.ts';
import { jsonp } from './jsonp.ts';
import { mixed, mixedReplace } from './multipart.ts';
import { beatingNdjson, ndjson, ndjsonAnswers } from './ndjson.ts';
import type { ParameterName, Parameters } from './parameters.ts';
import { poll, pollAnswers } from './poll.ts';
import { beatingSse, sse, sseAnswers } from './sse.ts';

/** One transport over HTTP, as `/_comet/<name>` offers it. */
export interface HttpTransport {
  readonly gate: Gate;
  /** Parameters that it has besides `url` and `since`. */
  readonly parameters: readonly ParameterName[];
  readonly required?: readonly ParameterName[];
  /** It can carry one URL only. */
  readonly isSingle?: true;
  /**
   * SECURITY: other origins get public endpoints only, although listed: who they are is not proven
   * as well as CORS proves it.
   */
  readonly isPublicAcrossOrigins?: true;
  framing(parameters: Parameters): Framing;
}

/** What a script reads, and what a person opens in a tab. */
const readers = readerGate('empty', 'document');

/** The transports over HTTP. */
export const httpTransports: Readonly<Record<Exclude<TransportName, 'ws'>, HttpTransport>> = {
  sse: {
    gate: readers,
    parameters: ['padding', 'answer', 'beat'],
    framing: ({ isAnswer, isBeating }) => {
      const framing = isAnswer ? sseAnswers : sse;
      return isBeating ? beatingSse(framing) : framing;
    },
  },
  stream: {
    gate: readers,
    parameters: ['padding', 'maxBytes', 'answer', 'beat'],
    framing: ({ isAnswer, isBeating }) => {
      const framing = isAnswer ? ndjsonAnswers : ndjson;
      return isBeating ? beatingNdjson(framing) : framing;
    },
  },
  multipart: {
    // SECURITY: never as a document of its own: a part could be a page with scripts.
    gate: readerGate('empty', 'image'),
    parameters: ['type'],
    isSingle: true,
    framing: ({ isMixed }) => (isMixed ? mixed : mixedReplace),
  },
  poll: {
    gate: readers,
    parameters: ['wait', 'answer'],
    framing: ({ isAnswer }) => (isAnswer ? pollAnswers : poll),
  },
  jsonp: {
    gate: scriptGate,
    parameters: ['callback', 'wait'],
    required: ['callback'],
    isPublicAcrossOrigins: true,
    framing: () => jsonp,
  },
  iframe: {
    gate: frameGate,
    parameters: ['frame', 'form', 'origin', 'padding', 'maxBytes'],
    framing: ({ isDirect }) => (isDirect ? directIframe : sandboxedIframe),
  },
};

/** Of WebSocket handshakes. Browsers always send `Origin`, and differ in the destination. */
export const webSocketGate: Gate = readerGate('websocket', 'empty');

/** Of server-sent events on an endpoint's own URL. */
export const ownUrlGate: Gate = readers;
