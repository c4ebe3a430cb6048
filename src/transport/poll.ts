import { answerEnvelope, comeBack, envelope } from './envelope.ts';
import type { ReplyFraming } from './framing.ts';

/** A long poll by XMLHttpRequest or fetch: `{"events":[…]}`, envelopes in order. */
export const poll: ReplyFraming = {
  name: 'poll',
  delivery: 'reply',
  carriesBinary: true,
  carriesPatches: true,
  headers: () => ({ 'content-type': 'application/json; charset=utf-8' }),
  frame: envelope,
  body: (frames) => Buffer.concat([BEGIN, ...joined(frames), END]),
  farewell: (retryMs) => Buffer.from(comeBack(retryMs)),
};

/** The same with whole answers. */
export const pollAnswers: ReplyFraming = { ...poll, frame: answerEnvelope };

const BEGIN = Buffer.from('{"events":[');
const COMMA = Buffer.from(',');
const END = Buffer.from(']}');

function joined(frames: readonly Buffer[]): Buffer[] {
  return frames.flatMap((frame, index) => (index === 0 ? [frame] : [COMMA, frame]));
}
