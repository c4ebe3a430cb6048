import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { test } from 'node:test';
import { openEventStream, openLines } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { LIST, openRpcSite } from './rpc-site.ts';
import { openEnvelopes } from './socket-client.ts';

const OWN_PAGE = { 'sec-fetch-site': 'same-origin' };

/** The query of a poll by POST. */
function query(body: string, name = ''): string {
  return `url=${encodeURIComponent(`/rpc${name}`)}&body=${encodeURIComponent(body)}`;
}

const json = async (answer: Response): Promise<unknown> => answer.json();

test('the polls of all pages are one poll, actions on the same URL pass untouched', async (t) => {
  const site = await openRpcSite(t);
  const stream = await openEventStream(
    t,
    `${site.proxy.url}/_comet/sse?${query('{"method":"list"}')}`,
    OWN_PAGE,
  );
  await stream.next();
  for (let page = 0; page < 3; page++) {
    assert.deepEqual(await json(await site.call({ method: 'list' })), { asked: 'list', count: 0 });
  }
  assert.equal(site.of('list').length, 1);
  const action = await site.call({ method: 'add', text: 'é😀' });
  assert.deepEqual(await json(action), { asked: 'add', count: 1 });
  assert.equal(site.of('add')[0]?.body, '{"method":"add","text":"é😀"}');
});

test('the first polls by POST that come together are one, and each gets its own id back', async (t) => {
  const site = await openRpcSite(t, { ...LIST, rpc: 'json-rpc' });
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, id) => json(await site.call({ method: 'list', id }))),
  );
  const ids = answers.map((answer) => (answer as { id?: unknown }).id);
  assert.deepEqual(ids, [...Array(20).keys()]);
  assert.equal(site.calls.length, 1);
});

test('an action is followed by a poll, and a poll that passes is no action', async (t) => {
  const site = await openRpcSite(t, { ...LIST, polls: 'pass' });
  const lines = await openLines(
    t,
    `${site.proxy.url}/_comet/stream?${query('{"method":"list"}')}`,
    OWN_PAGE,
  );
  await lines.next();
  await json(await site.call({ method: 'list' }));
  await json(await site.call({ method: 'list' }));
  assert.equal(site.of('list').length, 3);
  await json(await site.call({ method: 'add' }));
  assert.deepEqual((await lines.next())['data'], { asked: 'list', count: 1 });
  assert.equal(site.of('list').length, 4);
});

const PASSING: [rule: string, body: string, headers: Record<string, string>][] = [
  ['a body that is too long', `{"method":"list","a":"${'x'.repeat(65_536)}"}`, {}],
  ['a body that is coded', '{"method":"list"}', { 'content-encoding': 'x-none' }],
  ['no body at all', '', {}],
  ['a batch', '[{"method":"list"}]', {}],
  ['another method', '{"method":"add"}', {}],
  ['a method that stands there twice', '{"method":"list","method":"add"}', {}],
  ['broken JSON', '{"method":"list"', {}],
  ['a form', 'method=list', { 'content-type': 'application/x-www-form-urlencoded' }],
];
for (const [rule, body, headers] of PASSING) {
  test(`passed to the site, byte for byte: ${rule}`, async (t) => {
    const site = await openRpcSite(t);
    await json(await site.call({ method: 'list' }));
    await (await site.call(body, headers)).text();
    assert.equal(site.calls.length, 2);
    assert.equal(site.calls[1]?.body, body);
  });
}

test('a body that comes in chunks, or slowly, arrives whole', async (t) => {
  const site = await openRpcSite(t);
  const send = (headers: Record<string, string>, parts: readonly string[]) =>
    new Promise<string>((resolve, reject) => {
      const options = {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
      };
      const req = request(`${site.proxy.url}/rpc`, options, (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        res.on('end', () => resolve(text));
      }).on('error', reject);
      const next = (index: number) => {
        const part = parts[index];
        if (part === undefined) return void req.end();
        req.write(part);
        setTimeout(next, 5, index + 1);
      };
      next(0);
    });
  const action = ['{"method"', ':"add"', ',"text":"x"}'];
  const length = { 'content-length': String(action.join('').length) };
  assert.equal(await send(length, action), '{"asked":"add","count":1}');
  assert.equal(await send({}, action), '{"asked":"add","count":2}');
  const poll = ['{"method"', ':"list"}'];
  const told = await send({ 'content-length': String(poll.join('').length) }, poll);
  assert.equal(told, '{"asked":"list","count":2}');
  assert.deepEqual(
    site.of('add').map(({ body }) => body),
    [action.join(''), action.join('')],
  );
});

test('a connection goes on after polls that were answered here', async (t) => {
  const site = await openRpcSite(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const sockets = new Set();
  for (let i = 0; i < 30; i++) {
    await new Promise<void>((resolve, reject) => {
      const options = { method: 'POST', agent, headers: { 'content-type': 'application/json' } };
      const req = request(`${site.proxy.url}/rpc`, options, (res) => {
        res.resume().on('end', resolve);
      });
      req.on('error', reject).on('socket', (socket) => sockets.add(socket));
      req.end('{"method":"list"}');
    });
  }
  assert.deepEqual([sockets.size, site.calls.length, warnings], [1, 1, []]);
});

test('other bodies, and other types, are other channels', async (t) => {
  const site = await openRpcSite(t);
  const asked: [body: string, type: string][] = [
    ['{"method":"list","view":1}', 'application/json'],
    ['{"method":"list","view":2}', 'application/json'],
    ['{"method":"list","view":2}', 'text/plain'],
  ];
  for (const [body, type] of [...asked, ...asked]) {
    const { view } = JSON.parse(body) as { view: number };
    const answer = await site.call(body, { 'content-type': type });
    assert.deepEqual(await json(answer), { asked: 'list', view, count: 0 });
  }
  assert.deepEqual(
    site.calls.map(({ body, type }) => [body, type]),
    asked,
  );
});

test('what only defeats caches is not compared and not sent', async (t) => {
  const site = await openRpcSite(t, { ...LIST, ignoreBody: ['/nocache'] });
  for (const nocache of [1, 2]) await json(await site.call({ method: 'list', nocache }));
  assert.deepEqual(
    site.calls.map(({ body }) => body),
    ['{"method":"list"}'],
  );
});

test('a poll can differ from the request of the page', async (t) => {
  const site = await openRpcSite(t, { ...LIST, request: { body: { '/view': 'all' } } });
  for (const view of ['a', 'b']) {
    const answer = await site.call({ method: 'list', view });
    assert.deepEqual(await json(answer), { asked: 'list', view: 'all', count: 0 });
  }
  assert.equal(site.calls.length, 1);
});

test('with json-rpc each caller gets its own id back, and calls share a poll', async (t) => {
  const site = await openRpcSite(t, { ...LIST, rpc: 'json-rpc' });
  const answers = await Promise.all(
    [17, '"x-1"', 99].map(async (id) => (await site.call(`{"method":"list","id":${id}}`)).text()),
  );
  assert.deepEqual(
    answers,
    [17, '"x-1"', 99].map((id) => `{"asked":"list","count":0,"id":${id}}`),
  );
  assert.equal(site.calls.length, 1);
});

test('the token of a handshake is fetched, kept, and given to no client', async (t) => {
  const site = await openRpcSite(t, {
    ...LIST,
    every: '50ms',
    handshake: { status: 409, header: 'X-Session' },
  });
  site.session = 'secret-1';
  const stream = await openEventStream(
    t,
    `${site.proxy.url}/_comet/sse?${query('{"method":"list"}')}`,
    OWN_PAGE,
  );
  await stream.next();
  await until(() => site.calls.length >= 4);
  assert.deepEqual(
    site.calls.slice(0, 4).map(({ session }) => session),
    [undefined, 'secret-1', 'secret-1', 'secret-1'],
  );
  const absorbed = await site.call({ method: 'list' });
  assert.equal(absorbed.status, 200);
  assert.equal(absorbed.headers.get('x-session'), null);
  site.session = 'secret-2';
  await until(() => site.calls.at(-1)?.session === 'secret-2');
  const passed = await site.call({ method: 'add' });
  assert.equal(passed.status, 409, 'actions need a token of their own');
  assert.equal(passed.headers.get('x-session'), 'secret-2');
  assert.equal(stream.items.length, 1, 'nobody was told of it');
});

test('several polls of one URL are told apart by names', async (t) => {
  const site = await openRpcSite(t);
  const polls = [
    query('{"method":"list","view":1}', '#one'),
    query('{"method":"list","view":2}', '#two'),
  ];
  const lines = await openLines(t, `${site.proxy.url}/_comet/stream?${polls.join('&')}`, OWN_PAGE);
  const told = [await lines.next(), await lines.next()];
  assert.deepEqual(
    Object.fromEntries(told.map(({ url, data }) => [url, (data as { view: number }).view])),
    { '/rpc#one': 1, '/rpc#two': 2 },
  );
});

test('polls that would be told under one address are refused', async (t) => {
  const site = await openRpcSite(t);
  const body = (view: number) => encodeURIComponent(JSON.stringify({ method: 'list', view }));
  const twins = ['/rpc', '/rpc%3F_%3D1', '/rpc%23n'].map((url) => {
    const other = url === '/rpc%3F_%3D1' ? '/rpc%3F_%3D2' : url;
    return `url=${url}&body=${body(1)}&url=${other}&body=${body(2)}`;
  });
  for (const twin of twins) {
    const answer = await fetch(`${site.proxy.url}/_comet/stream?${twin}`, { headers: OWN_PAGE });
    assert.match(await answer.text(), /^BAD_PARAMETER/);
  }
});

test('what some servers would read as another request is no poll', async (t) => {
  const site = await openRpcSite(t, { method: 'POST', match: { body: { '/method': 'list' } } });
  const body = '{"method":"list","x":"&action=delete&y="}';
  await (await site.call(body, { 'content-type': 'application/x-www-form-urlencoded' })).text();
  await (await site.call('{"method":"list"}', { 'x-http-method-override': 'DELETE' })).text();
  assert.equal(site.calls.length, 2);
  await (await site.call('{"method":"list"}')).text();
  await (await site.call('{"method":"list"}')).text();
  assert.equal(site.calls.length, 3);
});

test('a WebSocket subscribes to polls by POST, and leaves them by their names', async (t) => {
  const site = await openRpcSite(t);
  const client = await openEnvelopes(t, site.proxy.url);
  client.say({ subscribe: '/rpc#one', method: 'POST', body: '{"method":"list","view":1}' });
  assert.equal((await client.next()).url, '/rpc#one');
  client.say({ subscribe: '/rpc#two', body: '{"method":"list","view":2}' });
  assert.deepEqual((await client.next()).data, { asked: 'list', view: 2, count: 0 });
  client.say({ unsubscribe: '/rpc#one' });
  client.say({ subscribe: '/rpc#no', body: '{"method":"add"}' });
  assert.deepEqual((await client.next()).data, {
    code: 'NOT_LIVE',
    status: 404,
    message: 'this URL is not a live endpoint',
  });
  await json(await site.call({ method: 'add' }));
  assert.deepEqual([(await client.next()).url, client.items.length], ['/rpc#two', 4]);
});

test('a POST that asks for an event stream gets one', async (t) => {
  const site = await openRpcSite(t);
  const answer = await site.call({ method: 'list' }, { accept: 'text/event-stream' });
  assert.equal(answer.headers.get('content-type'), 'text/event-stream');
  const reader = answer.body?.getReader();
  let text = '';
  while (!text.includes('data:')) {
    text += Buffer.from((await reader?.read())?.value ?? []).toString();
  }
  assert.match(text, /data: \{"asked":"list","count":0\}\n/);
  await reader?.cancel();
});

test('the first endpoint of a path that fits a request gets it', async (t) => {
  const site = await openRpcSite(t, [
    { ...LIST, request: { body: { '/view': 'first' } } },
    { method: 'POST', match: { body: { '/method': 'stats' } } },
    { method: 'GET' },
  ]);
  assert.deepEqual(await json(await site.call({ method: 'list' })), {
    asked: 'list',
    view: 'first',
    count: 0,
  });
  assert.deepEqual(await json(await site.call({ method: 'stats' })), { asked: 'stats', count: 0 });
  const got = () => fetch(`${site.proxy.url}/rpc`);
  for (let page = 0; page < 2; page++) {
    assert.deepEqual(await json(await got()), { count: 0 });
    await json(await site.call({ method: 'stats' }));
  }
  assert.deepEqual(
    site.calls.map(({ method }) => method),
    ['POST', 'POST', 'GET'],
  );
});
