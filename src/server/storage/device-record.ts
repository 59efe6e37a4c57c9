import type { DeviceRecord } from './records.ts';

/** Part of a record that is stored as one JSON document; the other fields are its key. */
export type DeviceDoc = Omit<DeviceRecord, 'project' | 'mac' | 'revision'>;

type Key = Pick<DeviceRecord, 'project' | 'mac' | 'revision'>;

/** Creates a record from its key and document. */
export function deviceRecord(key: Key, doc: DeviceDoc): DeviceRecord {
  // `key` and `doc` together contain all fields.
  return inOrder(key, doc) as DeviceRecord;
}

/** Returns a copy of a record with some fields changed. */
export function changedRecord(record: DeviceRecord, changes: Partial<DeviceRecord>): DeviceRecord {
  return Object.assign(deviceRecord(record, record), changes);
}

/** Creates the record for a previously unknown device. */
export function newRecord(project: string, mac: string): DeviceRecord {
  return deviceRecord({ project, mac, revision: 0 }, { enrolled: false, decisions: {}, attempts: [] });
}

/** Returns a record's document as JSON, which omits undefined fields. */
export function storedDocument(record: DeviceRecord): string {
  return JSON.stringify(inOrder({}, record) satisfies DeviceDoc);
}

/**
 * Builds an object with all fields in a fixed order, so that V8 uses one hidden class for all records. With `{ ...record }`, V8 created new
 * hidden classes, which accounted for a tenth of the cost of a download.
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
    requestedChannels: doc.requestedChannels,
    group: doc.group,
    labels: doc.labels,
    pin: doc.pin,
    install: doc.install,
    atomicFs: doc.atomicFs,
    allow: doc.allow,
    credential: doc.credential,
    secrets: doc.secrets,
    firstSeenAt: doc.firstSeenAt,
    proven: doc.proven,
    running: doc.running,
    shownBoard: doc.shownBoard,
    exclusion: doc.exclusion,
    decisions: doc.decisions,
    attempts: doc.attempts,
  } satisfies { [Field in keyof DeviceRecord]-?: DeviceRecord[Field] | undefined };
}
