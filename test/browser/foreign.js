/*
 * What a page of another origin can try. Each resolves to what the page has learned: the data of a
 * first event, or 'nothing' once the browser has said that none will come. Each ends what it has
 * opened: a browser has six connections for a site.
 */

/** A URL of the site, for an endpoint. */
const surface = (base, name, url, more = '') => `${base}/_comet/${name}?url=${url}${more}`;

function byEventSource(address) {
  return new Promise((resolve) => {
    const source = new EventSource(address, { withCredentials: true });
    const end = (learned) => {
      source.close();
      resolve(learned);
    };
    source.onmessage = ({ data }) => end(data);
    source.onerror = () => end('nothing');
  });
}

async function byFetch(address, options) {
  try {
    const answer = await fetch(address, { credentials: 'include', cache: 'no-store', ...options });
    const reader = answer.body.getReader();
    const { value } = await reader.read();
    reader.cancel();
    return answer.ok ? new TextDecoder().decode(value) : `status ${answer.status}`;
  } catch {
    return 'nothing';
  }
}

/** Whether it was ever open, and how it was closed. */
function byWebSocket(address) {
  return new Promise((resolve) => {
    let isOpen = false;
    const socket = new WebSocket(address);
    socket.onopen = () => (isOpen = true);
    socket.onmessage = ({ data }) => {
      resolve(data);
      socket.close();
    };
    socket.onclose = ({ code }) => resolve(isOpen || code !== 1006 ? `open ${code}` : 'nothing');
  });
}

function byScript(address) {
  return new Promise((resolve) => {
    window.got = (told) => resolve(JSON.stringify(told));
    const script = document.createElement('script');
    script.onload = script.onerror = () => resolve('nothing');
    script.src = address;
    document.body.append(script);
  });
}

/** A frame that was refused, or that may not be here, loads all the same: its own error page. */
function byFrame(address) {
  return new Promise((resolve) => {
    const frame = document.createElement('iframe');
    const end = (learned) => {
      frame.remove();
      resolve(learned);
    };
    window.cometFrames = { 0: (text) => text !== null && end(text) };
    addEventListener('message', ({ source, data }) => {
      if (source === frame.contentWindow && data?.envelope) end(data.envelope);
    });
    frame.onload = () => end('nothing');
    frame.src = address;
    document.body.append(frame);
  });
}

function byImage(address) {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(`an image, ${image.naturalWidth} wide`);
    image.onerror = () => resolve('nothing');
    image.src = address;
  });
}

window.tries = {
  EventSource: (base, url) => byEventSource(surface(base, 'sse', url)),
  'EventSource on the own URL': (base, url) => byEventSource(base + url),
  'fetch of a stream': (base, url) => byFetch(surface(base, 'stream', url)),
  'fetch of multipart': (base, url) => byFetch(surface(base, 'multipart', url, '&type=mixed')),
  'fetch of a poll': (base, url) => byFetch(surface(base, 'poll', url)),
  'fetch without CORS': (base, url) =>
    byFetch(surface(base, 'stream', url), { mode: 'no-cors' }).then((text) =>
      text === '' ? 'nothing' : text,
    ),
  WebSocket: (base, url) => byWebSocket(surface(base, 'ws', url)),
  'WebSocket on the own URL': (base, url) => byWebSocket(base + url),
  jsonp: (base, url) => byScript(surface(base, 'jsonp', url, '&callback=got')),
  'a stream as a script': (base, url) => byScript(surface(base, 'stream', url)),
  iframe: (base, url) => byFrame(surface(base, 'iframe', url)),
  'iframe that names its origin': (base, url) =>
    byFrame(surface(base, 'iframe', url, `&origin=${encodeURIComponent(origin)}`)),
  'iframe that lies about its origin': (base, url) =>
    byFrame(surface(base, 'iframe', url, `&origin=${encodeURIComponent(base)}`)),
  'direct iframe': (base, url) => byFrame(surface(base, 'iframe', url, '&form=direct')),
  'image element': (base) => byImage(surface(base, 'multipart', '/camera')),
};
