/*
 * What the browser script gives to a page's own scripts. For a page in TypeScript:
 *
 *   /// <reference types="comet-proxy/types/client" />
 */

/** What is known of a live address. */
interface CometChange {
  /** As it was subscribed to; of an event of the document: the address that the page follows. */
  readonly url: string;
  /** The state: parsed where its type is JSON, else as `text`. */
  readonly data: unknown;
  /** The body as the site sends it; in base64 where it is no text. Empty before it is known. */
  readonly text: string;
  readonly contentType: string;
  /** As the site would answer: 200 or 204; 0 before it is known. */
  readonly status: number;
  /** It is what the site would answer now. While it is not, it is the last that was known. */
  readonly isLive: boolean;
  /**
   * Nothing more comes: `unauthorized`, `gone`, `personal` (see the protocol, section 5), or `error`:
   * the proxy does not push this address.
   */
  readonly ended: 'unauthorized' | 'gone' | 'personal' | 'error' | undefined;
}

/** Nothing is followed, the stream is being opened, it is open, it does not get through. */
type CometState = 'idle' | 'connecting' | 'live' | 'down';

interface Comet {
  readonly state: CometState;
  /**
   * Follow a live endpoint that everybody may see, or that the page's cookies let see.
   *
   * @param url - As the page would fetch it.
   * @param listener - Called with the state as soon as it is known, after each change, and when it
   *   is live or is not any more. Never within this call.
   * @returns ends it.
   */
  subscribe(url: string, listener: (change: CometChange) => void): () => void;
}

interface Window {
  readonly comet: Comet;
}

declare const comet: Comet;

interface DocumentEventMap {
  /** `comet.state` is another one. */
  'comet:state': CustomEvent<{ readonly state: CometState }>;
  /** An address that the page polls, or has subscribed to, has changed. */
  'comet:change': CustomEvent<CometChange>;
}
