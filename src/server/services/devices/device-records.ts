import { LRUCache } from 'lru-cache';
import { changedRecord } from '../../storage/device-record.ts';
import type { Actor, DeviceRecord, SeenDevice } from '../../storage/records.ts';
import type { DeviceFilter, DeviceStore, RecordPage } from '../../storage/store.ts';
import { auditEntriesOf, auditEntryOf } from '../events/audit-entry.ts';
import { theDevice } from '../events/domain-event.ts';
import type { DomainEvents } from '../events/domain-events.ts';
import type { CachedResponses } from './cached-responses.ts';
import { type DeviceChange, deviceEvents } from './device-events.ts';
import type { LastSeen } from './last-seen.ts';

/** Number of recently used records kept in memory; a record uses about 1 KB. */
const mostRemembered = 5_000;
/** Maximum number of tries to change a record that other requests change at the same time. More conflicts in a row indicate a bug. */
const mostTries = 8;
/** Limit on records waiting to be written. Beyond this limit, changes are written immediately. */
const mostWaiting = 5_000;
/** Number of records written in one batch. Small batches do not delay other writes for long. */
const writtenAtOnce = 200;

interface Waiting {
  readonly record: DeviceRecord;
  /** Record as currently stored. */
  readonly stored: DeviceRecord;
  readonly since: number;
}

type Change = (record: DeviceRecord | undefined) => DeviceRecord | undefined;

/** Receives changes to device records. */
export interface DeviceListener {
  /** Called with a record's new state. */
  note(record: DeviceRecord): void;
  forget(project: string, mac: string): void;
}

/** Reads and changes device records. All changes use this class, so that its cache matches the store. */
export class DeviceRecords {
  readonly #store: DeviceStore;
  readonly #lastSeen: LastSeen;
  readonly #quick: CachedResponses;
  readonly #events: DomainEvents;
  readonly #mostDevices: number;
  readonly #listeners: DeviceListener[] = [];
  readonly #remembered = new LRUCache<string, DeviceRecord>({ max: mostRemembered });
  /** Records changed only in memory; each has the revision of the stored record. The oldest change is first. */
  readonly #waiting = new Map<string, Waiting>();
  /** Latest version of each record while it is being written. */
  readonly #saving = new Map<string, DeviceRecord>();

  constructor(
    store: DeviceStore,
    { lastSeen, quick, events }: { lastSeen: LastSeen; quick: CachedResponses; events: DomainEvents },
    mostDevices: number,
  ) {
    this.#store = store;
    this.#lastSeen = lastSeen;
    this.#quick = quick;
    this.#events = events;
    this.#mostDevices = mostDevices;
  }

  /** Adds a listener that is called before the promise for a change resolves. */
  listen(listener: DeviceListener): void {
    this.#listeners.push(listener);
  }

  /** Returns whether this object is the latest version of the record in this process. */
  isLatest(record: DeviceRecord): boolean {
    return this.#remembered.get(keyOf(record.project, record.mac)) === record;
  }

  async find(project: string, mac: string): Promise<DeviceRecord | undefined> {
    const known = this.#known(project, mac);
    if (known !== undefined) return known;
    const seen = await this.#store.get(project, mac);
    if (seen === undefined) return undefined;
    this.#lastSeen.wasStored(project, mac, seen.lastSeenAt);
    this.#remember(seen.record);
    return seen.record;
  }

  /** Returns a device with its last-seen time, from memory if the time in memory is newer. */
  async show(project: string, mac: string): Promise<SeenDevice | undefined> {
    const seen = await this.#store.get(project, mac);
    return seen && this.#over(seen);
  }

  async list(project: string, page: RecordPage, filter: DeviceFilter = {}): Promise<readonly SeenDevice[]> {
    return (await this.#store.list(project, page, filter)).map((seen) => this.#over(seen));
  }

  /**
   * Saves a changed record, unless the record was changed concurrently, and emits the events for the change.
   *
   * @param before record on which the change is based, if any
   * @returns the record as it is now stored
   */
  async save(
    record: DeviceRecord,
    { before, ...change }: { before?: DeviceRecord | undefined } & DeviceChange = {},
  ): Promise<DeviceRecord | 'conflict' | 'full'> {
    const { project, mac, revision } = record;
    const key = keyOf(project, mac);
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined && waiting.record !== before) return 'conflict';
    const saved = changedRecord(record, { revision: revision + 1 });
    const events = deviceEvents(waiting?.stored ?? before, saved, change);
    this.#quick.forget(project, mac);
    this.#saving.set(key, saved);
    try {
      const outcome = await this.#store.save(record, { mostDevices: this.#mostDevices, audit: auditEntriesOf(events) });
      // The waiting change is part of this record or of a record that was saved concurrently.
      if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
      if (outcome !== 'saved') {
        this.#remembered.delete(key);
        return outcome === 'stale' ? 'conflict' : outcome;
      }
      this.#notify(saved);
      for (const event of events) this.#events.emit(event);
      return saved;
    } catch (error) {
      this.#remembered.delete(key);
      throw error;
    } finally {
      this.#quick.forget(project, mac);
      if (this.#saving.get(key) === saved) this.#saving.delete(key);
    }
  }

  /**
   * Changes a record, and retries if the record was changed concurrently.
   *
   * @param change receives the record, or undefined if there is none; returns the same object if nothing changes
   * @returns the record as it is now stored; `full` if there is no room for a new one
   */
  async change(
    project: string,
    mac: string,
    change: Change,
    as: DeviceChange = {},
  ): Promise<DeviceRecord | undefined | 'full'> {
    for (let tries = 0; tries < mostTries; tries++) {
      const before = await this.find(project, mac);
      const after = change(before);
      if (after === undefined || after === before) return after;
      const saved = await this.save(after, { before, ...as });
      if (saved !== 'conflict') return saved;
    }
    throw new Error(`the record of ${mac} keeps changing`);
  }

  /**
   * Changes a device's record in memory. The change is written together with the next change or by `flush`, and may be lost in a crash.
   * Most devices check in within a minute after an update, so the record written then includes this change.
   */
  async changeLater(project: string, mac: string, change: Change): Promise<void> {
    const key = keyOf(project, mac);
    if (this.#known(project, mac) === undefined) await this.find(project, mac);
    // The write in progress is based on the earlier record, so this change must be written separately.
    if (this.#saving.has(key) || this.#waiting.size >= mostWaiting) {
      await this.change(project, mac, change);
      return;
    }
    const before = this.#known(project, mac);
    const after = before && change(before);
    if (before === undefined || after === undefined || after === before) return;
    const { stored, since } = this.#waiting.get(key) ?? { stored: before, since: Date.now() };
    this.#waiting.set(key, { record: after, stored, since });
    this.#quick.forget(project, mac);
    this.#notify(after);
    this.#events.emit({ type: 'device.seen', project, mac, actor: theDevice, at: Date.now() });
  }

  /** Writes the changes that have been waiting at least since `latest`. */
  async flush(latest = Number.POSITIVE_INFINITY): Promise<void> {
    const due = [...this.#waiting.values()].filter(({ since }) => since <= latest);
    for (let at = 0; at < due.length; at += writtenAtOnce) {
      await Promise.all(due.slice(at, at + writtenAtOnce).map(({ record }) => this.save(record, { before: record })));
    }
  }

  async remove(project: string, mac: string, by: Actor): Promise<boolean> {
    const event = { type: 'device.removed', project, mac, actor: by, at: Date.now() } as const;
    const wasThere = (await this.#store.remove(project, mac, { audit: auditEntryOf(event) })) === true;
    this.#remembered.delete(keyOf(project, mac));
    this.#waiting.delete(keyOf(project, mac));
    this.#quick.forget(project, mac);
    for (const listener of this.#listeners) listener.forget(project, mac);
    if (wasThere) this.#events.emit(event);
    return wasThere;
  }

  #known(project: string, mac: string): DeviceRecord | undefined {
    const key = keyOf(project, mac);
    return this.#waiting.get(key)?.record ?? this.#remembered.get(key);
  }

  /** Returns the device with newer data from memory, if available. */
  #over(seen: SeenDevice): SeenDevice {
    const { project, mac, revision } = seen.record;
    const waiting = this.#waiting.get(keyOf(project, mac))?.record;
    const record = waiting?.revision === revision ? waiting : seen.record;
    return this.#lastSeen.over({ ...seen, record });
  }

  #notify(record: DeviceRecord): void {
    this.#remember(record);
    for (const listener of this.#listeners) listener.note(record);
  }

  #remember(record: DeviceRecord): void {
    this.#remembered.set(keyOf(record.project, record.mac), record);
  }
}

function keyOf(project: string, mac: string): string {
  return `${mac}${project}`;
}
