import { test } from 'node:test';
import { skipWithout } from '../support/browsers.ts';
import { afterLogin, fayeScript, LIBRARIES, pageWith } from './pages.ts';
import { openFaye } from './servers/faye.ts';
import { play } from './story.ts';
import { openChromium } from './visit.ts';

/** Faye shakes hands by polling whatever comes later, so that cannot be disabled for a stream. */
const CASES = [
  {
    transport: 'websocket',
    disabled: ['eventsource'],
    ways: ['push by websocket', 'say by websocket'],
  },
  { transport: 'eventsource', disabled: ['websocket'], ways: ['push by stream', 'say by POST'] },
  {
    transport: 'long-polling',
    disabled: ['websocket', 'eventsource', 'callback-polling'],
    ways: ['push by POST', 'say by POST'],
  },
  {
    transport: 'callback-polling',
    disabled: ['websocket', 'eventsource', 'long-polling', 'cross-origin-long-polling'],
    ways: ['push by GET', 'say by GET'],
  },
];

const options = { skip: skipWithout('chromium'), timeout: 600_000 };

test('Faye on another host works under a mount', options, async (t) => {
  const browser = await openChromium(t);
  for (const { transport, disabled, ways } of CASES) {
    await t.test(`by ${transport}`, async (t) => {
      const script = afterLogin('/push/login', fayeScript('/push/faye', disabled));
      const files = pageWith(script, LIBRARIES.faye);
      await play(t, browser, { open: openFaye, files, transport, ways });
    });
  }
});
