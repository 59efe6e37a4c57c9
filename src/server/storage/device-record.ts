import type { DeviceRecord } from './records.ts';

/** What of a record is kept as one document; the rest tells which record it is. */
export type DeviceDoc = Omit<DeviceRecord, 'project' | 'mac' | 'revision'>;

type Key = Pick<DeviceRecord, 'project' | 'mac' | 'revision'>;

/** Puts a record together. */
export function deviceRecord(key: Key, doc: DeviceDoc): DeviceRecord {
  // The key is whole.
  return inOrder(key, doc) as DeviceRecord;
}

/** The same of the device, but for this. */
export function changedRecord(record: DeviceRecord, changes: Partial<DeviceRecord>): DeviceRecord {
  return Object.assign(deviceRecord(record, record), changes);
}

/** A device that nothing is known of yet. */
export function newRecord(project: string, mac: string): DeviceRecord {
  return deviceRecord({ project, mac, revision: 0 }, { enrolled: false, decisions: {}, attempts: [] });
}

/** A record's document, as JSON, which leaves out what is undefined. */
export function documentOf(record: DeviceRecord): string {
  return JSON.stringify(inOrder({}, record) satisfies DeviceDoc);
}

/**
 * All records have all of these fields in this order, so that they are one kind of object to V8: it makes a new kind of each `{ ...record }`
 * otherwise, which was a tenth of what a download cost.
 */
function inOrder({ project, mac, revision }: Partial<Key>, doc: DeviceDoc) {
  return {
    project,
    mac,
    revision,
    enrolled: doc.enrolled,
    name: doc.name,
    board: doc.board,
    channel: doc.channel,
    askedChannel: doc.askedChannel,
    group: doc.group,
    pin: doc.pin,
    atomicFs: doc.atomicFs,
    credential: doc.credential,
    firstSeenAt: doc.firstSeenAt,
    proven: doc.proven,
    running: doc.running,
    decisions: doc.decisions,
    attempts: doc.attempts,
  } satisfies { [Field in keyof DeviceRecord]-?: DeviceRecord[Field] | undefined };
}
