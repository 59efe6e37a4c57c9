import type { NewAuditEntry } from '../../storage/store.ts';
import { type DomainEvent, theDevice } from './domain-event.ts';

/** Describes an event for the audit log. The store writes the entry in the transaction of the change. */
export function auditEntryOf({ type, project, actor, at, ...detail }: DomainEvent): NewAuditEntry {
  return { at, actor, action: type, project, detail };
}

/** Describes the events that people and the server itself cause. Those of devices would fill the log; their records have the details. */
export function auditEntriesOf(events: readonly DomainEvent[]): readonly NewAuditEntry[] {
  return events.filter(({ actor, type }) => actor !== theDevice && type !== 'device.seen').map(auditEntryOf);
}
