import type { Changes } from '../changes.ts';
import { Lru } from '../lru.ts';
import type { Actor, DeviceRecord, SeenDevice } from '../store/records.ts';
import type { DeviceFilter, DeviceStore, Page } from '../store/store.ts';
import type { LastSeen } from './last-seen.ts';
import type { QuickAnswers } from './quick-answers.ts';

/** Records of devices that had news lately are kept in memory; a record takes about 1 KB. */
const mostRemembered = 5_000;
/** A record that somebody else changed is read again; more often than that it is not by chance. */
const mostTries = 8;

/** Who wants to know what becomes of devices. */
export interface DeviceListener {
  /** A record was saved; it is as it is stored now. */
  note(record: DeviceRecord): void;
  forget(project: string, mac: string): void;
}

/** Reads and changes what is known of devices. All changes come through here, so that what is remembered is what is stored. */
export class DeviceRecords {
  readonly #store: DeviceStore;
  readonly #lastSeen: LastSeen;
  readonly #quick: QuickAnswers;
  readonly #changes: Changes;
  readonly #mostDevices: number;
  readonly #listeners: DeviceListener[] = [];
  readonly #remembered = new Lru<DeviceRecord>(mostRemembered);

  constructor(
    store: DeviceStore,
    { lastSeen, quick, changes }: { lastSeen: LastSeen; quick: QuickAnswers; changes: Changes },
    mostDevices: number,
  ) {
    this.#store = store;
    this.#lastSeen = lastSeen;
    this.#quick = quick;
    this.#changes = changes;
    this.#mostDevices = mostDevices;
  }

  /** They are told before whoever saved it goes on. */
  listen(listener: DeviceListener): void {
    this.#listeners.push(listener);
  }

  /** Whether this very object is what is stored, as far as this process knows. */
  isLatest(record: DeviceRecord): boolean {
    return this.#remembered.get(keyOf(record.project, record.mac)) === record;
  }

  async find(project: string, mac: string): Promise<DeviceRecord | undefined> {
    const known = this.#remembered.get(keyOf(project, mac));
    if (known !== undefined) return known;
    const seen = await this.#store.get(project, mac);
    if (seen === undefined) return undefined;
    this.#lastSeen.wasStored(project, mac, seen.lastSeenAt);
    this.#remember(seen.record);
    return seen.record;
  }

  /** With when it was last seen, from memory where that is newer. */
  async show(project: string, mac: string): Promise<SeenDevice | undefined> {
    const seen = await this.#store.get(project, mac);
    return seen && this.#lastSeen.over(seen);
  }

  async list(project: string, page: Page, filter: DeviceFilter = {}): Promise<readonly SeenDevice[]> {
    return (await this.#store.list(project, page, filter)).map((seen) => this.#lastSeen.over(seen));
  }

  /**
   * Saves a changed record, when it is still the stored one that was changed.
   *
   * @returns the record as it is stored now
   */
  async save(
    record: DeviceRecord,
    options: { by?: Actor; mayBeLost?: boolean } = {},
  ): Promise<DeviceRecord | 'conflict' | 'full'> {
    const { project, mac, revision } = record;
    const saved = { ...record, revision: revision + 1 };
    this.#quick.forget(project, mac);
    // It waits to be written, and the device may ask before: what is decided then is written behind it, or not at all.
    if (options.mayBeLost === true) this.#remember(saved);
    const outcome = await this.#store
      .save(record, { mostDevices: this.#mostDevices, ...options })
      .catch((error: unknown) => {
        this.#remembered.delete(keyOf(project, mac));
        throw error;
      });
    this.#quick.forget(project, mac);
    if (outcome !== 'saved') {
      this.#remembered.delete(keyOf(project, mac));
      return outcome;
    }
    if (options.mayBeLost !== true) this.#remember(saved);
    for (const listener of this.#listeners) listener.note(saved);
    this.#changes.tell(project);
    return saved;
  }

  /**
   * Changes a record, as often as it takes until nobody else changed it meanwhile.
   *
   * @param change gives back the same object where nothing is to be changed; undefined comes in when there is no record
   * @returns the record as it is stored now; `full` when there is no room for a new one
   */
  async change(
    project: string,
    mac: string,
    change: (record: DeviceRecord | undefined) => DeviceRecord | undefined,
    options: { by?: Actor; mayBeLost?: boolean } = {},
  ): Promise<DeviceRecord | undefined | 'full'> {
    for (let tries = 0; tries < mostTries; tries++) {
      const before = await this.find(project, mac);
      const after = change(before);
      if (after === undefined || after === before) return after;
      const saved = await this.save(after, options);
      if (saved !== 'conflict') return saved;
    }
    throw new Error(`the record of ${mac} changes all the time`);
  }

  async remove(project: string, mac: string, by: Actor): Promise<boolean> {
    const wasThere = await this.#store.remove(project, mac, by);
    this.#remembered.delete(keyOf(project, mac));
    this.#quick.forget(project, mac);
    for (const listener of this.#listeners) listener.forget(project, mac);
    this.#changes.tell(project);
    return wasThere;
  }

  #remember(record: DeviceRecord): void {
    this.#remembered.set(keyOf(record.project, record.mac), record);
  }
}

/** A device that nothing is known of yet. */
export function newRecord(project: string, mac: string): DeviceRecord {
  return { project, mac, revision: 0, enrolled: false, decisions: {}, attempts: [] };
}

function keyOf(project: string, mac: string): string {
  return `${mac}${project}`;
}
