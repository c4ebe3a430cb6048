/*
 * What a page does with each transport, in as few lines as the protocol asks of it. Runs in the
 * browser: the site of site.ts serves it to its pages.
 */

/** The data of every event that has arrived, in order. */
window.seen = [];
/** How often a connection was opened or a request sent. */
window.opened = 0;
/** How often a frame called without an event. */
window.heartbeats = 0;
/** Set while a test keeps the page from coming back after a cut. */
window.isAway = false;
/**
 * Called by a test in place of the timer that a page has: a frame has not even sent a heartbeat for
 * too long. Nothing else tells that its connection was cut: Chromium leaves it loading for ever,
 * Firefox puts its own error page there, and neither fires an event.
 */
window.onSilence = () => undefined;

/**
 * Without this Firefox lets a second tab wait for its cache, which the first one's stream of the same
 * URL occupies, for twenty seconds. And a plain GET would be given the validator of what the cache
 * has, so that a page that has nothing yet would wait for the next change.
 */
const UNCACHED = { cache: 'no-store' };

const { read, readAnswer, lineReader, partReader } = window.readers;

/** A part of the wire surface: `url` with its cursor, and whatever else the transport takes. */
function address(name, { url, since, base = '', more = '' }, parameters = '') {
  const cursor = since === undefined ? '' : `&since=${since}`;
  return `${base}/_comet/${name}?url=${encodeURIComponent(url)}${cursor}${parameters}${more}`;
}

function eventSource(source, read) {
  source.onopen = () => window.opened++;
  source.onmessage = (event) => read(event);
}

function webSocket(socket, { event, end }, decode, onOpen = () => undefined) {
  socket.onopen = () => {
    window.opened++;
    onOpen();
  };
  socket.onmessage = ({ data }) => event(decode(data));
  socket.onclose = end;
}

let frames = 0;
window.cometFrames = {};

/** Put a frame into the page, until it has loaded to its end or is silent for too long. */
function addFrame(src, end) {
  const frame = document.createElement('iframe');
  frame.onload = window.onSilence = () => {
    frame.remove();
    end();
  };
  frame.src = src;
  document.body.append(frame);
  return frame;
}

/**
 * Each is given the URL with the cursor, and tells of events (envelopes) and, once, of the end.
 * EventSource comes back by itself and never tells of an end.
 */
const TRANSPORTS = {
  sse: (request, { event }) =>
    eventSource(new EventSource(address('sse', request)), ({ data }) => event(JSON.parse(data))),

  'own sse': ({ url, base = '' }, { event }) =>
    eventSource(new EventSource(base + url), ({ data, lastEventId }) =>
      event({ id: lastEventId, data: read(data) }),
    ),

  ws: (request, on) => webSocket(new WebSocket(address('ws', request)), on, JSON.parse),

  'ws by message': ({ url, since, base = '' }, on) => {
    const socket = new WebSocket(`${base}/_comet/ws`);
    webSocket(socket, on, JSON.parse, () => socket.send(JSON.stringify({ subscribe: url, since })));
  },

  'own ws': ({ url, base = '' }, on) =>
    webSocket(new WebSocket(base + url), on, (data) => ({ data: read(data) })),

  stream: async (request, { event, end }) => {
    const decoder = new TextDecoder();
    const readLines = lineReader(event);
    try {
      const answer = await fetch(address('stream', request), UNCACHED);
      window.opened++;
      await readAnswer(answer, (bytes) => readLines(decoder.decode(bytes, { stream: true })));
    } finally {
      end();
    }
  },

  'stream by XMLHttpRequest': (request, { event, end }) => {
    const readLines = lineReader(event);
    const xhr = new XMLHttpRequest();
    let length = 0;
    xhr.open('GET', address('stream', request));
    xhr.onreadystatechange = () => {
      if (xhr.readyState === 2) window.opened++;
    };
    xhr.onprogress = () => {
      readLines(xhr.responseText.slice(length));
      length = xhr.responseText.length;
    };
    xhr.onloadend = end;
    xhr.send();
  },

  multipart: async (request, { event, end }) => {
    const readParts = partReader(event);
    try {
      const answer = await fetch(address('multipart', request, '&type=mixed'), UNCACHED);
      window.opened++;
      await readAnswer(answer, readParts);
    } finally {
      end();
    }
  },

  poll: async (request, { event, end }) => {
    try {
      window.opened++;
      const answer = await fetch(address('poll', request), UNCACHED);
      for (const envelope of (await answer.json()).events) event(envelope);
    } finally {
      end();
    }
  },

  jsonp: (request, { event, end }) => {
    const script = document.createElement('script');
    window.got = ({ events }) => events.forEach(event);
    script.onload = script.onerror = () => {
      script.remove();
      end();
    };
    script.src = address('jsonp', request, '&callback=got');
    window.opened++;
    document.body.append(script);
  },

  iframe: (request, { event, end }) => {
    const number = ++frames;
    const frame = addFrame(address('iframe', request, `&frame=${number}`), () => {
      removeEventListener('message', onMessage);
      end();
    });
    const { contentWindow } = frame;
    let isOpen = false;
    function onMessage({ source, data, origin }) {
      if (source !== contentWindow || data.comet !== number || origin !== 'null') return;
      if (!isOpen) window.opened++;
      isOpen = true;
      if (data.envelope === null) window.heartbeats++;
      else event(JSON.parse(data.envelope));
    }
    addEventListener('message', onMessage);
  },

  'iframe direct': (request, { event, end }) => {
    const number = ++frames;
    let isOpen = false;
    window.cometFrames[number] = (text) => {
      if (!isOpen) window.opened++;
      isOpen = true;
      if (text === null) window.heartbeats++;
      else event(JSON.parse(text));
    };
    addFrame(address('iframe', request, `&form=direct&frame=${number}`), () => {
      delete window.cometFrames[number];
      end();
    });
  },

  'plain GET that waits': async ({ url, since, base = '' }, { event, end }) => {
    try {
      const known = since === undefined ? {} : { 'If-None-Match': since };
      window.opened++;
      const answer = await fetch(base + url, {
        headers: { Prefer: 'wait=25', ...known },
        ...UNCACHED,
      });
      if (answer.status === 200) {
        event({ id: answer.headers.get('etag'), data: read(await answer.text()) });
      }
    } finally {
      end();
    }
  },
};

/** Follow a URL by a transport: after an end, come back with the cursor. */
window.follow = (name, url, { base, more } = {}) => {
  let since;
  const open = () => {
    if (window.isAway) return setTimeout(open, 20);
    let isOver = false;
    TRANSPORTS[name](
      { url, since, base, more },
      {
        event({ id, event, data }) {
          if (event === 'retry') return;
          since = id ?? since;
          window.seen.push(data);
        },
        end() {
          if (!isOver) setTimeout(open, 20);
          isOver = true;
        },
      },
    );
  };
  // Scripts of the page that fail because a connection was cut are no errors of the test.
  addEventListener('unhandledrejection', (event) => event.preventDefault());
  open();
};
