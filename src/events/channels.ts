import { channel, type Channel } from 'node:diagnostics_channel';
import type { HoldfastEvents } from './events.js';

const channels = new Map<string, Channel>();

/** Publishes an event on `holdfast:<event>` of node:diagnostics_channel, for whoever listens there. */
export function publish<K extends keyof HoldfastEvents>(event: K, payload: HoldfastEvents[K]): void {
  let found = channels.get(event);
  if (found === undefined) {
    found = channel(`holdfast:${event}`);
    channels.set(event, found);
  }
  if (found.hasSubscribers) found.publish(payload);
}
