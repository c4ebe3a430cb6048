import type { IncomingMessage } from 'node:http';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue, headerValues, listItems } from '../shared/raw-headers.ts';

/** Does an `Accept` header ask for an event stream (and not refuse it by `q=0`)? */
export function acceptsEventStream(accept: string | undefined): boolean {
  return names(accept, 'text/event-stream');
}

/**
 * May this request be answered with a gzip stream?
 *
 * Not behind proxies that announce themselves: those that decode and encode again hold back what is
 * to arrive at once. nginx keeps it the same way.
 */
export function acceptsGzip({ httpVersion, rawHeaders }: IncomingMessage): boolean {
  return (
    httpVersion === '1.1' &&
    headerValue(rawHeaders, 'via') === undefined &&
    names(headerValues(rawHeaders, 'accept-encoding').join(','), 'gzip')
  );
}

/**
 * The seconds that a request is ready to wait (RFC 7240 §4.3), as milliseconds; `undefined` when it
 * does not say.
 */
export function preferredWaitMs(headers: RawHeaders): number | undefined {
  for (const item of headerValues(headers, 'prefer').flatMap(listItems)) {
    const seconds = /^wait\s*=\s*"?(\d{1,6})"?\s*(?:;|$)/i.exec(item)?.[1];
    if (seconds !== undefined) return Number(seconds) * 1_000;
  }
  return undefined;
}

/** Does a list of preferences name this item, and not with `q=0`? */
function names(list: string | undefined, wanted: string): boolean {
  if (!list) return false;
  return listItems(list.toLowerCase()).some((item) => {
    const [name, ...parameters] = item.split(';').map((part) => part.trim());
    if (name !== wanted) return false;
    return !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}
