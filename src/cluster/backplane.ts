import type { ChannelEvent } from '../protocol/event.ts';

/** Take a subscription back. */
export type Unsubscribe = () => void;

/**
 * Carries events between nodes. It is the only way in: the poller publishes to it, and every node,
 * this one too, receives from it. `memory` is a backplane like any other.
 */
export interface Backplane {
  /**
   * Give an event to every subscriber of a channel, in the order of the calls.
   *
   * @param lease - The right to write: an event of a lease that was lost is refused.
   * @returns Whether the event was taken.
   */
  publish(lease: Lease, event: ChannelEvent): Promise<boolean>;
  /** Receive the events of a channel from now on. */
  subscribe(channel: string, onEvent: (event: ChannelEvent) => void): Promise<Unsubscribe>;
  /** The newest snapshot of a channel, when a node holds a lease on it and has published one. */
  latest(channel: string): Promise<ChannelEvent | undefined>;
  /** Try to become the one writer of a channel; `undefined` while another node is. */
  acquire(channel: string): Promise<Lease | undefined>;
  /** End all subscriptions and leases. */
  close(): Promise<void>;
}

/** The right of one node to poll one channel and write to it. The backplane keeps it renewed. */
export interface Lease {
  readonly channel: string;
  /**
   * The fencing token, `[0-9a-z]{1,32}`: differs from that of every other lease, of every channel,
   * before and after restarts. So an event id is never valid in two channels.
   */
  readonly epoch: string;
  /** False once it was lost or released: stop polling at once. */
  isValid(): boolean;
  /** Let another node have it. */
  release(): Promise<void>;
}
