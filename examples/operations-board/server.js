import { readFileSync, realpathSync } from 'node:fs';
import { createServer, STATUS_CODES } from 'node:http';
import { fileURLToPath } from 'node:url';

import { createBoard } from './board.js';
import { takeSnapshot } from './camera.js';
import { boardPage, errorPage, loginPage } from './pages.js';
import {
  HttpError,
  readForm,
  redirect,
  send,
  sendHtml,
  sendJson,
  sendTaggedJson,
} from './responses.js';
import { createSessions, displayName } from './sessions.js';

const ORDERS_SHOWN = 14;
const FIELD_LENGTH = 60;
const EXIT_USAGE = 64;
const EXIT_UNAVAILABLE = 69;

const STATIC_FILES = {
  '/static/site.css': 'text/css; charset=utf-8',
  '/static/ajax.js': 'application/javascript; charset=utf-8',
  '/static/board.js': 'application/javascript; charset=utf-8',
};

/**
 * Creates the operations board's HTTP server, which does not listen yet.
 */
export function createOperationsBoard({ now = Date.now, random = Math.random } = {}) {
  const board = createBoard({ now, random });
  const sessions = createSessions({ now });

  function greetingFor(user) {
    const open = board.openOrdersOf(user).length;
    return (
      `Hello ${displayName(user)}, ${open} open ${open === 1 ? 'order is' : 'orders are'} ` +
      'assigned to you.'
    );
  }

  function showBoard(request, response) {
    const user = sessions.userOf(request);
    sendHtml(
      response,
      200,
      boardPage({
        user,
        greeting: user && greetingFor(user),
        status: board.status(),
        orders: board.latestOrders(ORDERS_SHOWN),
      }),
    );
  }

  function showStatus(_request, response) {
    sendJson(response, 200, board.status());
  }

  function showOrders(request, response) {
    const headers = { 'Cache-Control': 'private, no-cache', Vary: 'Cookie' };
    const user = sessions.userOf(request);
    if (!user) {
      sendJson(response, 401, { error: 'login required' }, headers);
      return;
    }
    sendTaggedJson(
      request,
      response,
      {
        user,
        greeting: greetingFor(user),
        assigned: board.openOrdersOf(user),
        orders: board.latestOrders(ORDERS_SHOWN),
      },
      headers,
    );
  }

  function showCamera(_request, response) {
    const dock = board.dock();
    const picture = takeSnapshot({ dock, time: board.status().time });
    send(response, 200, 'image/png', picture, {
      'Cache-Control': 'no-store',
      'Last-Modified': new Date(dock.changedAt).toUTCString(),
    });
  }

  function showLogin(_request, response) {
    sendHtml(response, 200, loginPage());
  }

  async function signIn(request, response) {
    const name = (await readForm(request)).get('user') ?? '';
    const cookie = sessions.signIn(name);
    if (cookie) {
      redirect(response, '/', { 'Set-Cookie': cookie });
    } else {
      sendHtml(response, 200, loginPage({ name, failed: true }));
    }
  }

  function signOut(request, response) {
    redirect(response, '/', { 'Set-Cookie': sessions.signOut(request) });
  }

  async function placeOrder(request, response) {
    const form = await readForm(request);
    const user = sessions.userOf(request);
    if (!user) {
      redirect(response, '/login');
      return;
    }
    const customer = (form.get('customer') ?? '').trim().slice(0, FIELD_LENGTH);
    const item = (form.get('item') ?? '').trim().slice(0, FIELD_LENGTH);
    if (!customer || !item) throw new HttpError(400, 'An order needs a customer and an item.');
    board.addOrder({ customer, item, picker: user });
    redirect(response, '/');
  }

  async function advanceOrder(request, response) {
    const form = await readForm(request);
    if (!sessions.userOf(request)) {
      redirect(response, '/login');
      return;
    }
    if (!board.advanceOrder(form.get('id'))) throw new HttpError(404, 'There is no such order.');
    redirect(response, '/');
  }

  const routes = new Map([
    ['/', { GET: showBoard }],
    ['/api/status', { GET: showStatus }],
    ['/api/orders', { GET: showOrders }],
    ['/camera.png', { GET: showCamera }],
    ['/login', { GET: showLogin, POST: signIn }],
    ['/logout', { POST: signOut }],
    ['/orders', { POST: placeOrder }],
    ['/orders/advance', { POST: advanceOrder }],
    ...Object.entries(STATIC_FILES).map(([path, type]) => [path, { GET: staticFile(path, type) }]),
  ]);

  function findHandler(request) {
    const methods = routes.get(request.url.split('?', 1)[0]);
    if (!methods) throw new HttpError(404, 'There is no such page on this server.');
    const handler = new Map(Object.entries(methods)).get(
      request.method === 'HEAD' ? 'GET' : request.method,
    );
    if (handler) return handler;
    const allow = Object.keys(methods).flatMap((name) => (name === 'GET' ? [name, 'HEAD'] : name));
    throw new HttpError(405, 'This page does not work that way.', { Allow: allow.join(', ') });
  }

  function showError(request, response, error) {
    // A visitor who went away in the middle of a form cannot be told anything.
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const known = error instanceof HttpError;
    const status = known ? error.status : 500;
    const message = known ? error.message : 'The board is out of order. Please try again.';
    const user = sessions.userOf(request);
    const page = errorPage({ title: `${status} ${STATUS_CODES[status]}`, message, user });
    sendHtml(response, status, page, known ? error.headers : {});
  }

  return createServer(async (request, response) => {
    try {
      await findHandler(request)(request, response);
    } catch (error) {
      showError(request, response, error);
    }
  });
}

function staticFile(path, type) {
  const content = readFileSync(new URL(`.${path}`, import.meta.url));
  return (_request, response) => {
    send(response, 200, type, content, { 'Cache-Control': 'no-cache' });
  };
}

function main() {
  const port = Number(process.env.PORT || 3000);
  const fail = (message, code) => {
    process.stderr.write(`operations board: ${message}\n`);
    process.exitCode = code;
  };
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    fail(`PORT is not a port number: ${process.env.PORT}`, EXIT_USAGE);
    return;
  }

  const server = createOperationsBoard();
  const stop = () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  };
  server.once('error', (error) => {
    const reason = error.code === 'EADDRINUSE' ? 'the port is already in use' : error.message;
    fail(`cannot listen on 127.0.0.1:${port}: ${reason}`, EXIT_UNAVAILABLE);
  });
  server.listen(port, '127.0.0.1', () => {
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    process.stdout.write(`operations board on http://127.0.0.1:${server.address().port}\n`);
  });
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
