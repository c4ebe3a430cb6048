import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, parseAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startUpstream } from '../support/upstream.ts';

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const BEHIND: Record<string, string> = {
  h2c: get('/second', 'Connection: Upgrade', 'Upgrade: h2c'),
  WebSocket: get(
    '/second',
    ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', KEY],
  ),
  CONNECT: 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n',
};

for (const [name, second] of Object.entries(BEHIND)) {
  for (const phase of ['before its head', 'in its middle']) {
    test(`${name} behind a request that is being answered does no harm, ${phase}`, {
      timeout: 30_000,
    }, async (t) => {
      const upstream = await startUpstream(t, (req, res) => {
        if (req.url === '/good') return void res.end('fine');
        if (phase === 'in its middle') {
          res.writeHead(200, { 'content-length': '10' });
          res.write('begin');
        }
      });
      const proxy = await startTestProxy(t, { site: upstream.url });
      const client = connectRaw(t, proxy.port);
      client.send(get('/first'));
      if (phase === 'in its middle') await client.receive('begin');
      client.send(second);
      // Whatever becomes of this connection, others go on.
      const good = await ask(t, proxy.port, get('/good'));
      assert.equal(good.body, 'fine');
      await client.closed;
      const answer = parseAnswer(client.received);
      if (phase === 'in its middle') assert.equal(answer?.body, 'begin');
      else assert.notEqual(answer?.status, 101);
    });
  }
}
