import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const CHUNKED = 'Transfer-Encoding: chunked';
const UPLOAD = 'POST /up HTTP/1.1\r\nHost: a\r\n';

interface Phase {
  readonly request: string;
  /** What the site has received when the client leaves. */
  readonly arrived: string | RegExp;
  /** What it has answered by then. */
  readonly answer?: string;
}

const PHASES: Record<string, Phase> = {
  'before the head': { request: get('/wait'), arrived: '\r\n\r\n' },
  'in the middle of an answer in chunks': {
    request: get('/stream'),
    arrived: '\r\n\r\n',
    answer: `HTTP/1.1 200 OK\r\n${CHUNKED}\r\n\r\n3\r\nabc\r\n`,
  },
  'in the middle of an answer with a length': {
    request: get('/stream'),
    arrived: '\r\n\r\n',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc',
  },
  'after a POST, before the head': {
    request: `${UPLOAD}Content-Length: 3\r\n\r\nabc`,
    arrived: /abc$/,
  },
  'in the middle of an upload with a length': {
    request: `${UPLOAD}Content-Length: 9\r\n\r\nabc`,
    arrived: /abc$/,
  },
  'in the middle of an upload in chunks': {
    request: `${UPLOAD}${CHUNKED}\r\n\r\n3\r\nabc\r\n`,
    arrived: /abc/,
  },
  'in the middle of upload and answer': {
    request: `${UPLOAD}${CHUNKED}\r\n\r\n3\r\nabc\r\n`,
    arrived: /abc/,
    answer: `HTTP/1.1 200 OK\r\n${CHUNKED}\r\n\r\n3\r\nabc\r\n`,
  },
  'before the head, having offered h2c': {
    request: get('/wait', 'Connection: Upgrade', 'Upgrade: h2c'),
    arrived: '\r\n\r\n',
  },
  'in the middle of an answer, having offered h2c': {
    request: get('/stream', 'Connection: Upgrade', 'Upgrade: h2c'),
    arrived: '\r\n\r\n',
    answer: `HTTP/1.1 200 OK\r\n${CHUNKED}\r\n\r\n3\r\nabc\r\n`,
  },
};

const LEAVE: Record<string, (client: RawPeer) => void> = {
  closes: (client) => void client.socket.end(),
  resets: (client) => client.reset(),
};

for (const [phase, { request, arrived, answer }] of Object.entries(PHASES)) {
  for (const [how, leave] of Object.entries(LEAVE)) {
    test(`a client that ${how} ${phase} ends the request to the site`, {
      timeout: 30_000,
    }, async (t) => {
      const upstream = await startRawUpstream(t);
      const proxy = await startTestProxy(t, { site: upstream.url });
      const client = connectRaw(t, proxy.port);
      client.send(request);
      const site = await upstream.connection(0);
      await site.receive(arrived);
      if (answer !== undefined) {
        site.send(answer);
        await client.receive(/\r\n\r\n.*abc/s);
      }
      leave(client);
      await site.closed;
      assert.ok(!/0\r\n\r\n$/.test(site.received), 'half an upload never ends as a whole one');
      assert.equal(upstream.connections.length, 1, 'and it is not tried again');

      const next = connectRaw(t, proxy.port);
      next.send(get('/next'));
      const second = await upstream.connection(1);
      await second.receive('GET /next');
      second.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      assert.equal((await readAnswer(next)).status, 200, 'the proxy is well');
      const alarms = proxy.lines.filter(({ level }) => level === 'error' || level === 'warn');
      assert.deepEqual(alarms, [], 'clients leave all the time: no failure of the site');
    });
  }
}
