import type { DomainEvents } from '../services/events/domain-events.ts';
import { type Counters, countIn } from './counters.ts';

/** Counts the events that have a metric. */
export function countEvents(events: DomainEvents, counters: Counters): void {
  events.subscribe((event) => {
    switch (event.type) {
      case 'release.published':
        counters.publications++;
        break;
      case 'rollout.halted':
        counters.rolloutHalts++;
        break;
      case 'device.updated':
        counters.updates++;
        break;
      case 'device.failed':
        countIn(counters.failedUpdates, event.how);
        break;
      case 'device.blocked':
        counters.blockedUpdates++;
        break;
    }
  });
}
