import { packageFile } from './servers/origin.ts';
import { ALIVE, SOCKJS_CLIENT } from './servers/sockjs.ts';

/*
 * Scripts as pages of legacy sites have them. Each uses a client as its manual says, and gives:
 * `seen`, what the server has pushed; `say(text)`; and, as the client itself takes it, `isOpen()`,
 * whether it is connected, and `transport()`, by what.
 */

/**
 * The files of a site whose one page has this script.
 *
 * @param library - The client: its text, or where on another host the page finds it.
 */
export function pageWith(script: string, library: string | URL = ''): Record<string, string> {
  const client = library instanceof URL ? library.href : '/client.js';
  return {
    'index.html': `<!doctype html><title>legacy</title><link rel="icon" href="data:,"><body>
      <script src="${client}"></script><script src="/page.js"></script>`,
    'client.js': library instanceof URL ? '' : library,
    'page.js': `var seen = [], say, transport;\nfunction isOpen() { return false; }\n${script}`,
  };
}

/** The script, once the Comet server knows who it is. */
export function afterLogin(url: string, script: string): string {
  return `fetch(${JSON.stringify(url)}).then(function () {\n${script}\n});`;
}

/** The clients, as they come from npm. */
export const LIBRARIES = {
  socketIo: packageFile('socket.io-client/dist/socket.io.min.js'),
  socketIo2: packageFile('socket.io-client-2/dist/socket.io.js'),
  faye: packageFile('faye/client/faye-browser-min.js'),
  sockjs: packageFile(SOCKJS_CLIENT),
};

/** Of both versions. */
export function socketIoScript(server: string, options: Record<string, unknown>): string {
  const all = { reconnectionDelay: 50, reconnectionDelayMax: 200, ...options };
  return `
    var socket = io(${JSON.stringify(server)}, ${JSON.stringify(all)});
    socket.on('push', function (text) { seen.push(text); });
    say = function (text) { socket.emit('say', text); };
    isOpen = function () { return socket.connected; };
    transport = function () { return socket.io.engine && socket.io.engine.transport.name; };
  `;
}

/** It may take a transport into use while the server still answers its poll by another one. */
export function fayeScript(server: string, disabled: readonly string[]): string {
  return `
    var client = new Faye.Client(${JSON.stringify(server)}, { retry: 0.5 });
    ${JSON.stringify(disabled)}.forEach(function (name) { client.disable(name); });
    var asks;
    client.addExtension({ outgoing: function (message, pass) {
      if (message.channel === '/meta/connect') asks = message.connectionType;
      pass(message);
    } });
    client.subscribe('/push', function (text) { seen.push(text); }).then(function () {
      isOpen = function () {
        var socket = client._dispatcher._transport._socket;
        return asks === transport() && (!socket || socket.readyState === 1);
      };
    });
    say = function (text) { client.publish('/say', text); };
    transport = function () { return client._dispatcher.connectionType; };
  `;
}

/**
 * SockJS leaves it to pages to come back. That its iframe has ended it does not even notice, only
 * that nobody knows its session any more when it says something.
 */
export function sockjsScript(server: string, transport: string): string {
  // Patient: on a slow machine it would take a transport for one that does not work.
  const options = { transports: [transport], timeout: 60_000 };
  return `
    var sock;
    (function open() {
      sock = new SockJS(${JSON.stringify(server)}, null, ${JSON.stringify(options)});
      sock.onmessage = function (event) { seen.push(event.data); };
      sock.onclose = function () { setTimeout(open, 100); };
    })();
    say = function (text) { sock.send(text); };
    isOpen = function () { return sock.readyState === SockJS.OPEN; };
    setInterval(function () { if (isOpen()) say('${ALIVE}'); }, 200);
    transport = function () { return sock.transport; };
  `;
}

/** The three ways into a room of nchan. */
export const NCHAN_SCRIPTS = {
  EventSource: `
    var events = new EventSource('/push/room');
    events.onmessage = function (event) { seen.push(event.data); };
    say = function (text) { fetch('/push/say', { method: 'POST', body: text }); };
    isOpen = function () { return events.readyState === EventSource.OPEN; };
    transport = function () { return 'EventSource'; };
  `,
  'long poll': `
    var cursor = {};
    function ask() {
      fetch('/push/room', { headers: cursor, cache: 'no-store' }).then(function (answer) {
        if (answer.status !== 200) throw answer.status;
        cursor = {
          'If-None-Match': answer.headers.get('Etag'),
          'If-Modified-Since': answer.headers.get('Last-Modified'),
        };
        return answer.text();
      }).then(function (text) {
        seen.push(text);
        ask();
      }).catch(function () {
        setTimeout(ask, 100);
      });
    }
    ask();
    isOpen = function () { return true; };
    say = function (text) { fetch('/push/say', { method: 'POST', body: text }); };
    transport = function () { return 'long poll'; };
  `,
  WebSocket: `
    var socket, cursor = '';
    (function open() {
      var url = 'ws://' + location.host + '/push/room?last_event_id=' + encodeURIComponent(cursor);
      socket = new WebSocket(url, 'ws+meta.nchan');
      socket.onmessage = function (event) {
        var parts = /^id: (.*)\\n(?:.+\\n)*\\n([^]*)$/.exec(event.data);
        cursor = parts[1];
        seen.push(parts[2]);
      };
      socket.onclose = function () { setTimeout(open, 100); };
    })();
    say = function (text) { socket.send(text); };
    isOpen = function () { return socket.readyState === WebSocket.OPEN; };
    transport = function () { return socket.protocol === 'ws+meta.nchan' && 'WebSocket'; };
  `,
};
