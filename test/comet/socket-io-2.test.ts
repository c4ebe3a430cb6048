import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skipWithout } from '../support/browsers.ts';
import { afterLogin, LIBRARIES, pageWith, socketIoScript } from './pages.ts';
import { openSocketIo2 } from './servers/socket-io-2.ts';
import { play } from './story.ts';
import { openChromium } from './visit.ts';

const CASES = [
  {
    by: 'polling',
    options: { transports: ['polling'] },
    transport: 'polling',
    ways: ['GET polling', 'POST polling'],
  },
  {
    by: 'JSONP',
    options: { transports: ['polling'], forceJSONP: true },
    transport: 'polling',
    ways: ['GET polling jsonp', 'POST polling jsonp'],
  },
  {
    by: 'websocket',
    options: { transports: ['websocket'] },
    transport: 'websocket',
    ways: ['GET websocket upgrade websocket'],
  },
];

const options = { skip: skipWithout('chromium'), timeout: 600_000 };

test('socket.io 2 that lists its own origin only works under a mount', options, async (t) => {
  const browser = await openChromium(t);
  for (const { by, options, transport, ways } of CASES) {
    await t.test(`by ${by}`, async (t) => {
      const script = socketIoScript('/', { path: '/push/socket.io', ...options });
      const files = pageWith(afterLogin('/push/login', script), LIBRARIES.socketIo2);
      await play(t, browser, { open: openSocketIo2, files, transport, ways });
    });
  }
});

test('socket.io 2 refuses a page of the site that names itself', async (t) => {
  const { origin } = await openSocketIo2(t);
  for (const [from, status] of [
    ['http://site.test', 403],
    [origin, 200],
  ] as const) {
    const answer = await fetch(`${origin}/origin/socket.io/?EIO=3&transport=polling`, {
      headers: { origin: from },
    });
    assert.equal(answer.status, status);
    await answer.arrayBuffer();
  }
});
