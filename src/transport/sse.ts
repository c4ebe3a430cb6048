import type { ChannelEvent } from '../protocol/event.ts';
import { carriesState } from '../protocol/event.ts';
import { errorStatus } from '../shared/errors.ts';
import { eventText } from '../shared/event-text.ts';
import { answerEnvelope, comeBack, envelope, hasLineBreak, view } from './envelope.ts';
import type { StreamFraming } from './framing.ts';
import { SECOND_BEAT_MS } from './framing.ts';

const END = Buffer.from('\n\n');

/*
 * Server-sent events (WHATWG HTML §9.2). `retry` is never below a second: Chromium takes 0
 * literally and reconnects in a hot loop.
 */
const shared = {
  delivery: 'stream',
  isCompressible: true,
  carriesPatches: true,
  headers: () => ({ 'content-type': 'text/event-stream' }),
  prelude: ({ retryMs, paddingBytes }) => {
    const padding = paddingBytes > 0 ? `:${' '.repeat(paddingBytes)}\n` : '';
    return `${padding}${retry(retryMs)}:ok\n\n`;
  },
  heartbeat: ':\n\n',
  farewell: (retryMs) => (retryMs === undefined ? '' : `${retry(retryMs)}\n`),
  // EventSource gives up for good on any status but 200: "later" has to be told inside a stream.
  refusal: (code, { retryMs }) =>
    [429, 503].includes(errorStatus(code)) ? `:${code}\n${retry(retryMs)}\n` : undefined,
} as const satisfies Partial<StreamFraming>;

/** On an endpoint's own URL: `data` is exactly the body. */
export const bareSse: StreamFraming = {
  ...shared,
  name: 'sse-bare',
  carriesBinary: false,
  frame: (event) => message(event, eventText(event)?.data ?? event.data),
};

/** On `/_comet/sse`: `data` is the envelope. */
export const sse: StreamFraming = {
  ...shared,
  name: 'sse',
  carriesBinary: true,
  frame: (event, url) => message(event, envelope(event, url)),
};

/** The same with whole answers. */
export const sseAnswers: StreamFraming = {
  ...sse,
  frame: (event, url) => message(event, answerEnvelope(event, url)),
};

/** A stream whose heartbeats are events of their own: scripts do not see comments. */
export function beatingSse(framing: StreamFraming): StreamFraming {
  return {
    ...framing,
    prelude: (options) => `${framing.prelude(options)}${BEATING}`,
    heartbeat: BEATING,
    secondBeatMs: SECOND_BEAT_MS,
    // EventSource tells nobody of the field, nor that the end was meant.
    farewell: (retryMs) =>
      retryMs === undefined
        ? ''
        : `event: retry\ndata: ${comeBack(retryMs)}\n${framing.farewell(retryMs)}`,
  };
}

const BEATING = 'event: beat\ndata:\n\n';

function retry(retryMs: number): string {
  return `retry: ${Math.max(1_000, Math.round(retryMs))}\n`;
}

function message(event: ChannelEvent, data: Uint8Array): Buffer {
  // Only state moves the cursor: a `stale` without an id leaves the browser's one as it is.
  const id = carriesState(event) && event.id !== undefined ? `id: ${event.id}\n` : '';
  const type = event.type === 'snapshot' ? '' : `event: ${event.type}\n`;
  const head = `${id}${type}`;
  if (!hasLineBreak(data)) return Buffer.concat([Buffer.from(`${head}data: `), view(data), END]);
  // SECURITY: every line gets its own field name, else a body could forge `id:` or `event:`.
  // The three line ends of SSE and no others: U+2028 and U+0085 do not end a line.
  const lines = view(data)
    .toString('utf8')
    .split(/\r\n|\r|\n/);
  return Buffer.from(`${head}${lines.map((line) => `data: ${line}\n`).join('')}\n`);
}
