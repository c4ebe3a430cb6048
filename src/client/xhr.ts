import type { Answer } from './answer.ts';
import { bytesOf } from './answer.ts';
import type { Browser } from './browser.ts';
import { defineProperty, keys } from './browser.ts';
import type { PageRequest } from './request-key.ts';

/** What is done with a request of the page. */
export interface Taking {
  /** What it is answered with; `undefined` lets it go to the network. */
  answer(request: PageRequest): Answer | undefined;
  /**
   * It goes to the network.
   *
   * @returns to be called with a way to read the headers of the answer, or without if there is none.
   */
  onSent(request: PageRequest): (header?: (name: string) => string | null) => void;
}

/** What is kept of a request, on the object itself. */
interface Kept {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  /** It is one that we could answer, as far as its opening says. */
  isPlain: boolean;
  answer: Answer | undefined;
  /** Its `readyState`, while we answer. */
  stage: number;
}

type Request = XMLHttpRequest & Record<string, unknown> & { __comet?: Kept };

/** What of a request says how far it is, and what it has got. */
const SHOWN = ['readyState', 'status', 'statusText', 'responseURL', 'responseText', 'response'];
const SHOWN_XML = 'responseXML';
const STEPS = [
  [2, 'readystatechange'],
  [3, 'readystatechange'],
  [3, 'progress'],
  [4, 'readystatechange'],
  [4, 'load'],
  [4, 'loadend'],
] as const;
const STEPS_OF_NOTHING = [STEPS[0], [2, 'progress'], STEPS[3], STEPS[4], STEPS[5]] as const;
const TYPES = /^(?:|text|json|arraybuffer|blob|document)$/;
const OF_TEXT = /^(?:text|json)?$/;

/**
 * Let requests of the page's scripts be answered without the network. The objects stay the browser's
 * own: of one that is answered the properties are put before those of its prototype until it is
 * opened again, and its events are dispatched on it, so that every way to listen works.
 */
export function takeXhr(browser: Browser, taking: Taking): void {
  const { window, absolute } = browser;
  const prototype = window.XMLHttpRequest.prototype as Request;
  const { open, send, abort, setRequestHeader, overrideMimeType } = prototype;
  const { getResponseHeader, getAllResponseHeaders } = prototype;
  const soon = window.setTimeout;

  prototype.open = function (this: Request, ...args: unknown[]) {
    unshow(this);
    const kept: Kept = {
      method: String(args[0]).toUpperCase(),
      url: String(args[1]),
      headers: {},
      isPlain: (args.length < 3 || !!args[2]) && !args[3],
      answer: undefined,
      stage: 1,
    };
    defineProperty(this, '__comet', { value: kept, configurable: true });
    return (open as (...args: unknown[]) => void).apply(this, args);
  } as typeof open;

  prototype.setRequestHeader = function (this: Request, name, value) {
    setRequestHeader.call(this, name, value);
    const key = String(name).toLowerCase();
    const { headers } = keptOf(this);
    headers[key] = key in headers ? `${headers[key]}, ${value}` : String(value);
  };

  if (overrideMimeType) {
    prototype.overrideMimeType = function (this: Request, type) {
      keptOf(this).isPlain = false;
      overrideMimeType.call(this, type);
    };
  }

  prototype.send = function (this: Request, body) {
    const kept = keptOf(this);
    const text = bodyText(body);
    const { method, url, headers } = kept;
    const request = { method, target: browser.pathOf(url), headers, body: text || '' };
    // Of a body that is no text nobody knows what it says.
    const isPlain = kept.isPlain && text !== undefined && TYPES.test(this.responseType);
    const answer = isPlain ? taking.answer(request) : undefined;
    const isOfText = OF_TEXT.test(this.responseType);
    // Bytes cannot be taken from a text that came in another charset, nor a text from bytes.
    const fits = answer && (isOfText ? !answer.isBase64 : !answer.isRecoded);
    if (answer && fits) return play(this, kept, answer);
    const onDone = taking.onSent(request);
    this.addEventListener('readystatechange', () => {
      if (this.readyState !== 4 || this.__comet !== kept) return;
      kept.stage = 4;
      onDone((name) => (text === undefined ? null : getResponseHeader.call(this, name)));
    });
    return send.call(this, body);
  };

  prototype.abort = function (this: Request) {
    const kept = keptOf(this);
    if (!kept.answer) return abort.call(this);
    const isPlaying = kept.stage < 4;
    kept.answer = undefined;
    if (isPlaying) {
      kept.stage = 4;
      fire(this, 'readystatechange');
      fire(this, 'abort');
      fire(this, 'loadend');
    }
    // Shown as it is until it is opened again: the browser's own one was never sent.
    kept.stage = 0;
  };

  prototype.getResponseHeader = function (this: Request, name) {
    const { answer } = keptOf(this);
    if (!answer) return getResponseHeader.call(this, name);
    const value = answer.headers[String(name).toLowerCase()];
    return this.readyState < 2 || value === undefined ? null : value;
  };

  prototype.getAllResponseHeaders = function (this: Request) {
    const { answer } = keptOf(this);
    if (!answer) return getAllResponseHeaders.call(this);
    const { headers } = answer;
    const names = this.readyState < 2 ? [] : keys(headers).sort();
    return names.map((name) => `${name}: ${headers[name]}\r\n`).join('');
  };

  /** What the browser does from `send` to the end, without the network. */
  function play(xhr: Request, kept: Kept, answer: Answer): void {
    kept.answer = answer;
    kept.stage = 1;
    const read = shownOf(xhr, kept, answer);
    for (const name of SHOWN.concat(SHOWN_XML)) {
      defineProperty(xhr, name, { configurable: true, get: () => read(name) });
    }
    fire(xhr, 'loadstart');
    soon.call(window, () => {
      const { length } = answer.data;
      for (const [stage, type] of length > 0 ? STEPS : STEPS_OF_NOTHING) {
        // A listener may have aborted it, or opened it again.
        if (kept.answer !== answer || xhr.__comet !== kept) return;
        kept.stage = stage;
        fire(xhr, type, length);
      }
    });
  }

  function shownOf(xhr: Request, kept: Kept, answer: Answer): (name: string) => unknown {
    const { responseType } = xhr;
    const isText = responseType === '' || responseType === 'text';
    const text = answer.data.replace(/^\ufeff/, '');
    const refused = (name: string) => {
      throw new DOMException(`no ${name} of type ${responseType}`, 'InvalidStateError');
    };
    let response: unknown;
    let xml: Document | null | undefined;
    return (name) => {
      // Of one that was aborted nothing is left.
      const stage = kept.answer ? kept.stage : 0;
      switch (name) {
        case 'readyState':
          return kept.stage;
        case 'status':
          return stage > 1 ? answer.status : 0;
        case 'statusText':
          return stage > 1 ? answer.statusText : '';
        case 'responseURL':
          return stage > 1 ? absolute(kept.url) : '';
        case 'responseText':
          return isText ? (stage > 2 ? text : '') : refused(name);
        case SHOWN_XML:
          if (responseType && responseType !== 'document') return refused(name);
          if (stage < 4) return null;
          if (xml === undefined) xml = parsed(answer, text);
          return xml;
      }
      if (isText) return stage > 2 ? text : '';
      if (stage < 4) return null;
      if (response === undefined) response = responseOf(xhr, responseType, answer, text);
      return response;
    };
  }
}

function responseOf(xhr: Request, type: string, answer: Answer, text: string): unknown {
  if (type === 'document') return xhr.responseXML;
  if (type !== 'json') {
    const bytes = bytesOf(answer);
    const contentType = answer.headers['content-type'] || '';
    return type === 'blob' ? new Blob([bytes], { type: contentType }) : bytes.buffer;
  }
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function parsed({ headers }: Answer, text: string): Document | null {
  if (!/^[\w.+-]+\/(?:[\w.-]+\+)?xml\b/i.test(headers['content-type'] || '')) return null;
  const document = new DOMParser().parseFromString(text, 'application/xml');
  return document.getElementsByTagName('parsererror').length > 0 ? null : document;
}

function fire(xhr: Request, type: string, length?: number): void {
  const isStage = type === 'readystatechange';
  const size = { lengthComputable: !!length, loaded: length || 0, total: length || 0 };
  xhr.dispatchEvent(isStage ? new Event(type) : new ProgressEvent(type, size));
}

function unshow(xhr: Request): void {
  if (xhr.__comet) for (const name of SHOWN.concat(SHOWN_XML)) delete xhr[name];
}

/** What was made before us, or comes from another frame, is none that we answer. */
function keptOf(xhr: Request): Kept {
  return (
    xhr.__comet || { method: '', url: '', headers: {}, isPlain: false, answer: undefined, stage: 0 }
  );
}

/** `undefined` when it is no text. */
function bodyText(body: unknown): string | undefined {
  if (body === undefined || body === null) return '';
  const isText =
    typeof body === 'string' ||
    (typeof URLSearchParams === 'function' && body instanceof URLSearchParams);
  return isText ? String(body) : undefined;
}
