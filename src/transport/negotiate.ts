import { listItems } from '../shared/raw-headers.ts';

/** Does an `Accept` header ask for an event stream (and not refuse it by `q=0`)? */
export function acceptsEventStream(accept: string | undefined): boolean {
  if (!accept) return false;
  return listItems(accept.toLowerCase()).some((item) => {
    const [type, ...parameters] = item.split(';').map((part) => part.trim());
    if (type !== 'text/event-stream') return false;
    return !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}
