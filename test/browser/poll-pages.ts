import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Content } from './site.ts';

/*
 * Legacy pages that poll `/state` and show its `n` in an element, each in its own way. None of them
 * knows of a proxy.
 */

const EVERY_MS = 400;
const modules = createRequire(import.meta.url);

function library(name: string, path: string): Content {
  const root = dirname(modules.resolve(`${name}/package.json`));
  return { type: 'text/javascript', body: readFileSync(join(root, path)) };
}

/** What such pages are made with. */
export const LIBRARIES: Readonly<Record<string, Content>> = {
  '/jquery1.js': library('jquery1', 'dist/jquery.js'),
  '/jquery3.js': library('jquery', 'dist/jquery.js'),
  '/axios.js': library('axios', 'dist/axios.js'),
};

const SHOW = `function show(state) { document.getElementById('n').textContent = state.n; }`;

/** By path: how it polls, and the script for it. */
const SCRIPTS: readonly [path: string, script: string, libraries?: string][] = [
  [
    '/xhr',
    `function poll() {
      var xhr = new XMLHttpRequest();
      xhr.onreadystatechange = function () {
        if (xhr.readyState === 4 && xhr.status === 200) show(JSON.parse(xhr.responseText));
      };
      xhr.open('GET', '/state?_=' + Date.now(), true);
      xhr.send(null);
    }
    poll();
    setInterval(poll, ${EVERY_MS});`,
  ],
  [
    '/xhr-text-timer',
    `function poll() {
      var xhr = new XMLHttpRequest();
      xhr.open('GET', 'state');
      xhr.responseType = 'json';
      xhr.addEventListener('load', function () { show(this.response); });
      xhr.send();
    }
    poll();
    setInterval("poll()", ${EVERY_MS});`,
  ],
  [
    '/jquery1',
    `$.ajaxSetup({ cache: false });
    function poll() {
      $.ajax({ url: '/state', dataType: 'json', success: show, complete: function () {
        setTimeout(function () { poll(); }, ${EVERY_MS});
      } });
    }
    $(poll);`,
    '/jquery1.js',
  ],
  [
    '/jquery3',
    `$(function () {
      setInterval(function () { $.getJSON('/state', show); }, ${EVERY_MS});
    });`,
    '/jquery3.js',
  ],
  [
    '/fetch',
    `async function poll() {
      show(await (await fetch('/state', { cache: 'no-store' })).json());
      setTimeout(poll, ${EVERY_MS});
    }
    poll();`,
  ],
  [
    '/fetch-loop',
    `(async () => {
      for (;;) {
        show(await (await fetch(new Request('state'))).json());
        await new Promise((resolve) => setTimeout(resolve, ${EVERY_MS}));
      }
    })();`,
  ],
  [
    '/axios',
    `setInterval(function () {
      axios.get('/state', { params: { _: Date.now() } }).then(function (answer) { show(answer.data); });
    }, ${EVERY_MS});`,
    '/axios.js',
  ],
  [
    '/post',
    `var calls = 0;
    function poll() {
      var xhr = new XMLHttpRequest();
      var id = ++calls;
      xhr.open('POST', '/rpc');
      xhr.setRequestHeader('Content-Type', 'application/json');
      xhr.onload = function () {
        var answer = JSON.parse(xhr.responseText);
        if (answer.id !== id) throw new Error('the answer to another call');
        show(answer.result);
      };
      xhr.send(JSON.stringify({ method: 'get', id: id }));
    }
    poll();
    setInterval(poll, ${EVERY_MS});`,
  ],
];

/** The paths of the pages. */
export const POLLING = SCRIPTS.map(([path]) => path);

/** The pages, by path. @param tag - What the proxy would put into them. */
export function pollPages(tag = ''): Readonly<Record<string, Content>> {
  return Object.fromEntries(
    SCRIPTS.map(([path, script, source]) => {
      const library = source ? `<script src="${source}"></script>` : '';
      const body = `<!doctype html><html><head>${tag}<title>${path}</title>${library}</head>
<body><p id="n"></p><script>${SHOW}\n${script}</script></body></html>`;
      return [path, { type: 'text/html', body }];
    }),
  );
}
