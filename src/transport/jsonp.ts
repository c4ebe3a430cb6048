import { errorData } from '../shared/errors.ts';
import { comeBack, envelope } from './envelope.ts';
import type { ReplyFraming } from './framing.ts';
import { scriptText } from './script-text.ts';

/**
 * A long poll by script element: `callback(JSON.parse("{\"events\":[…]}"))`. A text that is parsed
 * and not an object literal: there `__proto__` would be no member, and what the site calls JSON
 * would be run.
 *
 * The empty comment and the file name keep it from being taken for something else (Rosetta Flash,
 * reflected file download); `typeof` spares late answers an error.
 */
export const jsonp: ReplyFraming = {
  name: 'jsonp',
  delivery: 'reply',
  carriesBinary: true,
  carriesPatches: true,
  headers: () => ({
    'content-type': 'text/javascript; charset=utf-8',
    'content-disposition': 'attachment; filename="f.txt"',
    'referrer-policy': 'no-referrer',
  }),
  frame: (event, url) => Buffer.from(scriptText(envelope(event, url).toString('utf8'))),
  body(frames, { callback }) {
    const events = frames.join(',');
    return Buffer.from(call(callback, `{\\"events\\":[${events}]}`));
  },
  farewell: (retryMs) => Buffer.from(scriptText(comeBack(retryMs))),
  // A script with another status than 200 is not run.
  refusal: (code, { callback }) =>
    call(callback, scriptText(JSON.stringify({ error: errorData(code) }))),
};

/** SECURITY: `callback` was checked to be one plain identifier. */
function call(callback: string, text: string): string {
  return `/**/typeof ${callback}==='function'&&${callback}(JSON.parse("${text}"));\n`;
}
