import type { DomainEvent } from '../services/events/domain-event.ts';
import type { DomainEvents } from '../services/events/domain-events.ts';
import { type Counters, countersOf, countIn, type EventCounters } from './counters.ts';

/** Counts the events that have a metric, in total and by project. */
export function countEvents(events: DomainEvents, counters: Counters): void {
  events.subscribe((event) => {
    count(event, counters);
    if (event.project !== undefined) count(event, countersOf(counters, event.project));
  });
}

function count(event: DomainEvent, counters: EventCounters): void {
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
}
