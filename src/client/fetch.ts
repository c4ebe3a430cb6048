import { bytesOf } from './answer.ts';
import type { Browser } from './browser.ts';
import { defineProperty } from './browser.ts';
import type { PageRequest } from './request-key.ts';
import type { Taking } from './xhr.ts';

/**
 * Let `fetch` of the page's scripts be answered without the network. What is asked for in a way
 * that we cannot look at goes to the network as it is.
 */
export function takeFetch({ window, absolute, pathOf }: Browser, taking: Taking): void {
  const native = window.fetch;
  if (!native || !window.Response) return;

  window.fetch = function (this: unknown, ...args: Parameters<typeof fetch>) {
    const send = () => native.apply(window, args);
    let request: PageRequest | undefined;
    try {
      request = read(args);
    } catch {
      // The browser says what is wrong with it.
    }
    if (!request) return send();
    const answer = taking.answer(request);
    if (!answer || answer.isRecoded) {
      const onDone = taking.onSent(request);
      const sent = send();
      sent.then(
        ({ headers }) => onDone((name) => headers.get(name)),
        () => onDone(),
      );
      return sent;
    }
    const { status, statusText, headers, data, isBase64 } = answer;
    const isEmpty = status === 204 || status === 304;
    const body = isBase64 ? bytesOf(answer) : data;
    const response = new Response(isEmpty ? null : body, { status, statusText, headers });
    const input = args[0];
    const url = absolute(input instanceof Request ? input.url : String(input));
    for (const [name, value] of [
      ['url', url],
      ['type', 'basic'],
    ]) {
      defineProperty(response, name as string, { value });
    }
    return Promise.resolve(response);
  };

  /** `undefined` when it is none that could be answered; an unsafe one without its body is told. */
  function read([input, init = {}]: Parameters<typeof fetch>): PageRequest | undefined {
    const isRequest = input instanceof Request;
    const given: Partial<Request> = isRequest ? input : {};
    const method = String(init.method || given.method || 'GET').toUpperCase();
    const target = pathOf(isRequest ? input.url : String(input));
    const hasBody = isRequest ? method !== 'GET' : init.body !== undefined && init.body !== null;
    const isText = typeof init.body === 'string' || init.body instanceof URLSearchParams;
    const signal = init.signal || given.signal;
    const isAborted = signal && signal.aborted;
    const isCors = /^(?:cors|same-origin)$/.test(init.mode || given.mode || 'cors');
    const isOdd = (hasBody && !isText) || isAborted || !isCors;
    const cache = init.cache || given.cache;
    const headers: Record<string, string> = {};
    new Headers(init.headers || given.headers).forEach((value, name) => {
      headers[name] = value;
    });
    if (isOdd || cache === 'only-if-cached') {
      // What changes something is to be known of nevertheless.
      return /^(?:GET|HEAD)$/.test(method) ? undefined : { method, target, headers, body: '\0' };
    }
    return { method, target, headers, body: hasBody ? String(init.body) : '' };
  }
}
