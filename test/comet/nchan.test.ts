import { test } from 'node:test';
import { skipWithout } from '../support/browsers.ts';
import { afterLogin, NCHAN_SCRIPTS, pageWith } from './pages.ts';
import { openNchan } from './servers/nchan.ts';
import { play } from './story.ts';
import { openChromium } from './visit.ts';

/** nchan's names of those who subscribe, and `http` for who only says something. */
const CASES = [
  { transport: 'EventSource', ways: ['eventsource', 'http'] },
  { transport: 'long poll', ways: ['http', 'longpoll'] },
  { transport: 'WebSocket', ways: ['websocket'] },
] as const;

const options = { skip: skipWithout('chromium'), timeout: 600_000 };

test('nchan on another host works under a mount, and no message is lost', options, async (t) => {
  const browser = await openChromium(t);
  for (const { transport, ways } of CASES) {
    await t.test(`by ${transport}`, async (t) => {
      const files = pageWith(afterLogin('/push/login', NCHAN_SCRIPTS[transport]));
      await play(t, browser, { open: openNchan, files, transport, ways, keeps: true });
    });
  }
});
