import type { SeenKind } from './seen.ts';

/** Extensions of files that belong to a page and are never what it polls. */
const ASSET = /\.(?:css|js|mjs|map|woff2?|ttf|otf|eot|ico|wasm)$/i;
const IMAGE = /\.(?:png|jpe?g|gif|webp|avif|bmp|svg)$/i;
/** Paths at which Comet servers speak protocols of their own. */
const COMET =
  /\/(?:socket\.io|engine\.io|sockjs|cometd|bayeux|faye|signalr|primus|_comet)(?:\/|$)|\/xhr_(?:streaming|send)$/i;
const CALLBACK = /[?&](?:callback|jsonp(?:callback)?)=/i;

/** What a request is for, by its URL and its type where there is one. */
export function kindOf(target: string, contentType: string | undefined): SeenKind {
  const end = target.indexOf('?');
  const path = end === -1 ? target : target.slice(0, end);
  if (COMET.test(path)) return 'push';
  const isCall = end !== -1 && CALLBACK.test(target);
  if (contentType !== undefined && contentType !== '') {
    const type = contentType.toLowerCase();
    if (/^(?:text\/event-stream|multipart\/x-mixed-replace)/.test(type)) return 'push';
    if (type.startsWith('image/')) return path.endsWith('.ico') ? 'asset' : 'image';
    if (/^text\/css|^font\/|^audio\/|^video\//.test(type)) return 'asset';
    if (/javascript|ecmascript/.test(type)) return isCall ? 'data' : 'asset';
    if (/^application\/(?:json|xml)|\+json/.test(type)) return 'data';
  }
  if (ASSET.test(path)) return isCall ? 'data' : 'asset';
  return IMAGE.test(path) ? 'image' : 'unknown';
}

/** By what Chrome says an entry is, and by where browsers say that an answer goes. */
const KINDS: Readonly<Record<string, SeenKind>> = {
  document: 'page',
  iframe: 'page',
  frame: 'page',
  image: 'image',
  script: 'asset',
  style: 'asset',
  stylesheet: 'asset',
  font: 'asset',
  media: 'asset',
  audio: 'asset',
  video: 'asset',
  track: 'asset',
  manifest: 'asset',
  preflight: 'asset',
  ping: 'asset',
  report: 'asset',
  worker: 'asset',
  eventsource: 'push',
  websocket: 'push',
  xhr: 'data',
  fetch: 'data',
  empty: 'data',
};

/** What a browser has said of a request, besides its URL. */
export interface RequestHints {
  readonly target: string;
  readonly mimeType: string | undefined;
  /** `Sec-Fetch-Dest`, or what a recording says. */
  readonly destination: string | undefined;
  readonly accept: string | undefined;
}

/** What a request is for, by all that is known of it. */
export function kindOfRequest({
  target,
  mimeType,
  destination = '',
  accept,
}: RequestHints): SeenKind {
  const byDestination = KINDS[destination.toLowerCase()];
  const byUrl = kindOf(target, mimeType);
  if (byUrl === 'push') return 'push';
  // A script that calls the page is an answer.
  if (destination.toLowerCase() === 'script' && CALLBACK.test(target)) return 'data';
  if (byDestination !== undefined) return byDestination;
  const isPage = /^text\/html/i.test(mimeType ?? '') && /text\/html/i.test(accept ?? '');
  return isPage ? 'page' : byUrl;
}
