/** Who is called when a signal aborts. */
const listeners = new WeakMap<AbortSignal, (() => void)[]>();

/**
 * Call back once when a signal aborts that has not yet.
 *
 * For a signal that lives long and that one poll after the other waits for: it gets one listener for
 * all of them. A listener for each took a tenth of the CPU of an unchanged poll.
 */
export function addAbortListener(signal: AbortSignal, callback: () => void): void {
  const known = listeners.get(signal);
  if (known) return void known.push(callback);
  const callbacks = [callback];
  listeners.set(signal, callbacks);
  const onAbort = () => {
    while (callbacks.length > 0) callbacks.shift()?.();
  };
  signal.addEventListener('abort', onAbort, { once: true });
}

/** Do not call back any more. */
export function removeAbortListener(signal: AbortSignal, callback: () => void): void {
  const callbacks = listeners.get(signal) ?? [];
  const index = callbacks.indexOf(callback);
  if (index !== -1) callbacks.splice(index, 1);
}
