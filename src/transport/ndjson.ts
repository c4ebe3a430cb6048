import { answerEnvelope, comeBack, envelope } from './envelope.ts';
import type { StreamFraming } from './framing.ts';
import { SECOND_BEAT_MS } from './framing.ts';

const LINE_END = Buffer.from('\n');

/**
 * One envelope a line, for XMLHttpRequest and fetch. An empty line is a heartbeat. The type cannot
 * be sniffed for, so browsers hand out the first byte at once.
 */
export const ndjson: StreamFraming = {
  name: 'stream',
  delivery: 'stream',
  isCompressible: true,
  carriesBinary: true,
  carriesPatches: true,
  headers: () => ({ 'content-type': 'application/x-ndjson; charset=utf-8' }),
  prelude: ({ paddingBytes }) => `${' '.repeat(paddingBytes)}\n`,
  heartbeat: '\n',
  frame: (event, url) => Buffer.concat([envelope(event, url), LINE_END]),
  farewell: (retryMs) => (retryMs === undefined ? '' : `${comeBack(retryMs)}\n`),
};

/** The same with whole answers. */
export const ndjsonAnswers: StreamFraming = {
  ...ndjson,
  frame: (event, url) => Buffer.concat([answerEnvelope(event, url), LINE_END]),
};

/** With a second heartbeat soon after the first; each can be seen as it is. */
export function beatingNdjson(framing: StreamFraming): StreamFraming {
  return { ...framing, secondBeatMs: SECOND_BEAT_MS };
}
