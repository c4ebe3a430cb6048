import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { skipWithout } from '../support/browsers.ts';
import { afterLogin, LIBRARIES, pageWith, sockjsScript } from './pages.ts';
import { openSockjs } from './servers/sockjs.ts';
import { play } from './story.ts';
import { openChromium } from './visit.ts';

const INFO = 'GET info';

const CASES = [
  { transport: 'websocket', ways: [INFO, 'GET websocket'] },
  { transport: 'xhr-streaming', ways: [INFO, 'POST xhr_send', 'POST xhr_streaming'] },
  { transport: 'eventsource', ways: ['GET eventsource', INFO, 'POST xhr_send'] },
  {
    transport: 'iframe-htmlfile',
    ways: ['GET htmlfile', 'GET iframe.html', INFO, 'POST xhr_send'],
  },
  { transport: 'jsonp-polling', ways: [INFO, 'GET jsonp', 'POST jsonp_send'] },
];

const options = { skip: skipWithout('chromium'), timeout: 600_000 };

test('SockJS on another host works under a mount', options, async (t) => {
  const browser = await openChromium(t);
  for (const { transport, ways } of CASES) {
    await t.test(`by ${transport}`, async (t) => {
      const script = afterLogin('/push/login', sockjsScript('/push/echo', transport));
      const files = pageWith(script, LIBRARIES.sockjs);
      const open = (t: TestContext) => openSockjs(t, '/push/sockjs.js');
      await play(t, browser, { open, files, transport, ways, beginsBy: /\/info/ });
    });
  }
});
