/*
 * What a supervisor and its processes say to each other, over the channel that Node gives them.
 */

/** What a supervisor says. The first message is `start`, the answer to `up`. */
export type SupervisorMessage =
  | { readonly kind: 'start'; readonly name: string; readonly settings: object }
  /** Read certificates again. */
  | { readonly kind: 'reload' }
  /** Finish what is under way, and end. */
  | { readonly kind: 'drain' };

/** What a process says. */
export type ProcessMessage =
  /** It listens to what it is told: what is said before is lost. */
  | { readonly kind: 'up' }
  /** It does what it is there for. */
  | { readonly kind: 'ready'; readonly urls: readonly string[]; readonly adminUrl?: string }
  /** It cannot: it ends after this. */
  | { readonly kind: 'failed'; readonly why: string };

/** What a process is once it is ready. */
export type Ready = ProcessMessage & { readonly kind: 'ready' };
