/** Something that happens once, and may be waited for. */
export interface Deferred {
  readonly promise: Promise<void>;
  /** It has happened. */
  readonly resolve: () => void;
}

/** What has not happened yet. */
export function deferred(): Deferred {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
