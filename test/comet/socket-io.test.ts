import { test } from 'node:test';
import { skipWithout } from '../support/browsers.ts';
import { afterLogin, LIBRARIES, pageWith, socketIoScript } from './pages.ts';
import { openSocketIo } from './servers/socket-io.ts';
import { play } from './story.ts';
import { openChromium } from './visit.ts';

const POLLING = ['GET polling', 'POST polling'];
const WEBSOCKET = 'GET websocket upgrade websocket';

const CASES = [
  { by: 'polling only', transports: ['polling'], transport: 'polling', ways: POLLING },
  { by: 'websocket only', transports: ['websocket'], transport: 'websocket', ways: [WEBSOCKET] },
  {
    by: 'an upgrade of polling',
    transports: ['polling', 'websocket'],
    transport: 'websocket',
    ways: ['GET polling', WEBSOCKET, 'POST polling'],
  },
];

const options = { skip: skipWithout('chromium'), timeout: 600_000 };

test('socket.io 4 on another host works under a mount', options, async (t) => {
  const browser = await openChromium(t);
  for (const { by, transports, transport, ways } of CASES) {
    await t.test(`by ${by}`, async (t) => {
      const script = socketIoScript('/', { path: '/push/socket.io', transports });
      const files = pageWith(afterLogin('/push/login', script), LIBRARIES.socketIo);
      await play(t, browser, { open: openSocketIo, files, transport, ways });
    });
  }
});
