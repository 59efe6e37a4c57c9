import { deviceWebhookEvents } from '../../../api/webhooks.ts';
import type { NewAuditEntry } from '../../storage/store.ts';
import { type DomainEvent, theDevice } from './domain-event.ts';

/** Describes an event for the audit log. The store writes the entry in the same transaction as the change. */
export function auditEntryOf({ type, project, actor, at, ...detail }: DomainEvent): NewAuditEntry {
  return { at, actor, action: type, project, detail };
}

/**
 * Describes only events caused by people and by the server itself. Device events would fill the log, and their details are in the device
 * records.
 */
export function auditEntriesOf(events: readonly DomainEvent[]): readonly NewAuditEntry[] {
  return events.filter(({ actor, type }) => actor !== theDevice && type !== 'device.seen').map(auditEntryOf);
}

/** Describes the events of devices that webhooks may receive although the audit log does not contain them. */
export function queuedEntriesOf(events: readonly DomainEvent[]): readonly NewAuditEntry[] {
  const isQueued = ({ actor, type }: DomainEvent) =>
    actor === theDevice && deviceWebhookEvents.some((event) => event === type);
  return events.filter(isQueued).map(auditEntryOf);
}
