import type { ErrorCode } from '../shared/errors.ts';
import { errorData } from '../shared/errors.ts';
import { comeBack, envelope } from './envelope.ts';
import type { FramingOptions, StreamFraming } from './framing.ts';
import { scriptText } from './script-text.ts';

/** Old WebKit and IE run no script of a document before they have so much of it. */
const MIN_PADDING_BYTES = 1_024;

/** Nothing but our own script elements: no loads, no forms, no frames of others around it. */
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/*
 * The forever iframe: a document that never ends, one script element an event. Its bytes are the
 * same for all subscribers, so its scripts cannot have a nonce each; all of them are ours, and what
 * they carry is a string literal (see `scriptText`).
 */
const shared = {
  delivery: 'stream',
  isCompressible: true,
  carriesBinary: true,
  carriesPatches: true,
  heartbeat: '<script>p()</script>\n',
  frame: (event, url) => Buffer.from(`${element(envelope(event, url).toString('utf8'))}\n`),
  farewell: (retryMs) => (retryMs === undefined ? '' : `${element(comeBack(retryMs))}\n`),
} as const satisfies Partial<StreamFraming>;

/**
 * Without the origin of the page around it (sandbox), so that nothing in it can touch that page;
 * each event is posted as `{comet: <frame>, envelope: <JSON text>}`, a heartbeat with `null`.
 */
export const sandboxedIframe = iframe('iframe', 'sandbox allow-scripts; ', postEvents);

/**
 * For browsers without `postMessage`: calls `parent.cometFrames[<frame>](<JSON text>)`, `null` for a
 * heartbeat. Works in pages of our own origin only, by the browser's same-origin policy.
 */
export const directIframe = iframe('iframe-direct', '', callParent);

function iframe(
  name: string,
  sandbox: string,
  script: (options: FramingOptions) => string,
): StreamFraming {
  const prelude = (options: FramingOptions) => document(script(options), options);
  return {
    ...shared,
    name,
    headers: (options) => frameHeaders(sandbox, options),
    prelude,
    // Of a frame's status its page learns nothing.
    refusal: (code, options) => prelude(options) + refused(code),
  };
}

function frameHeaders(sandbox: string, { page, isForeign }: FramingOptions) {
  const ancestors = isForeign ? `'self' ${page}` : "'self'";
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `${sandbox}${POLICY}; frame-ancestors ${ancestors}`,
    // Where the page around it demands this, a frame without it loads and says nothing.
    'cross-origin-embedder-policy': 'require-corp',
    'referrer-policy': 'no-referrer',
  };
}

function document(script: string, { paddingBytes }: FramingOptions): string {
  const padding = ' '.repeat(Math.max(MIN_PADDING_BYTES, paddingBytes));
  const head = '<!doctype html><meta charset=utf-8><title>comet</title><body>';
  return `${head}<!--${padding}--><script>${script};p()</script>\n`;
}

/** Elements that have run would pile up in the document. */
const CLEAN_UP = 'var e=document.currentScript;e&&e.remove()';

function postEvents({ frame, page }: FramingOptions): string {
  const target = `"${scriptText(page)}"`;
  return `function p(s){parent.postMessage({comet:${frame},envelope:s||null},${target});${CLEAN_UP}}`;
}

function callParent({ frame }: FramingOptions): string {
  return `var c=parent.cometFrames[${frame}];function p(s){c(s||null);${CLEAN_UP}}`;
}

function refused(code: ErrorCode): string {
  return `${element(JSON.stringify({ event: 'error', data: errorData(code) }))}\n`;
}

function element(text: string): string {
  return `<script>p("${scriptText(text)}")</script>`;
}
