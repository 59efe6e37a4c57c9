import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { changedRecord } from '../../storage/device-record.ts';
import type { Actor, DeviceRecord, SeenDevice } from '../../storage/records.ts';
import type {
  DeviceFilter,
  DeviceStore,
  LimitedSend,
  MemberChange,
  RecordPage,
  SortedPage,
} from '../../storage/store.ts';
import { auditEntriesOf, auditEntryOf, queuedEntriesOf } from '../events/audit-entry.ts';
import { theServer } from '../events/domain-event.ts';
import type { DomainEvents } from '../events/domain-events.ts';
import type { Catalog } from '../releases/catalog.ts';
import type { ProjectView } from '../releases/project-view.ts';
import type { Rollouts } from '../rollouts/rollouts.ts';
import { memberOf } from '../rollouts/tally.ts';
import { ConflictQueue, withRetries } from './conflict-queue.ts';
import { type DeviceChange, deviceEvents } from './device-events.ts';
import type { LastSeen } from './last-seen.ts';

/** Device and its project, as stored at the same moment. */
export interface CheckedDevice {
  readonly view: ProjectView;
  readonly record: DeviceRecord | undefined;
}

const macsAtOnce = 10_000;

type Change = (record: DeviceRecord | undefined) => DeviceRecord | undefined;

/** Dependencies of {@link DeviceRecords}. */
interface Needs {
  readonly store: DeviceStore;
  readonly catalog: Pick<Catalog, 'at' | 'view'>;
  readonly rollouts: Pick<Rollouts, 'haltIfNeeded'>;
  readonly lastSeen: LastSeen;
  readonly events: DomainEvents;
  readonly mostDevices: number;
}

/** Reads and changes device records. */
export class DeviceRecords {
  /** Changes that are tried again. Requests of devices use it too, so that they wait for other changes of the same device. */
  readonly conflicts = new ConflictQueue();
  readonly #needs: Needs;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /**
   * Reads a device for a decision.
   *
   * @returns undefined if the project does not exist
   */
  async check(project: string, mac: string): Promise<CheckedDevice | undefined> {
    const { store, catalog } = this.#needs;
    const checked = await store.check(project, mac);
    const view = checked && (await catalog.at(project, checked.revision));
    return view && { view, record: checked.record };
  }

  async find(project: string, mac: string): Promise<DeviceRecord | undefined> {
    return (await this.#needs.store.get(project, mac))?.record;
  }

  /** Returns a device with its last-seen time, from memory if the time in memory is newer. */
  async show(project: string, mac: string): Promise<SeenDevice | undefined> {
    const { store, lastSeen } = this.#needs;
    const seen = await store.get(project, mac);
    return seen && lastSeen.over(seen);
  }

  async list(project: string, page: RecordPage, filter: DeviceFilter = {}): Promise<readonly SeenDevice[]> {
    const { store, lastSeen } = this.#needs;
    return (await store.list(project, page, filter)).map((seen) => lastSeen.over(seen));
  }

  async sorted(project: string, page: SortedPage, filter: DeviceFilter = {}): Promise<readonly SeenDevice[]> {
    const { store, lastSeen } = this.#needs;
    return (await store.sorted(project, page, filter)).map((seen) => lastSeen.over(seen));
  }

  /** Returns the MACs of all devices that match a filter, sorted. */
  async macs(project: string, filter: DeviceFilter = {}): Promise<readonly string[]> {
    const macs: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await this.#needs.store.macs(project, { after, limit: macsAtOnce }, filter);
      macs.push(...page);
      after = page.at(-1);
      if (page.length < macsAtOnce) return macs;
      await setImmediate();
    }
  }

  /**
   * Saves a changed record and emits the events for the change, unless the record or the project was changed since they were checked.
   *
   * @param send limits of a rollout on the send that begins with this change
   * @returns the record as it is now stored; conflict if the device and the project must be checked again; `full` if there is no room for a
   *   new record
   */
  async save(
    record: DeviceRecord,
    { view, record: before }: CheckedDevice,
    change: DeviceChange = {},
    send?: LimitedSend,
  ): Promise<DeviceRecord | 'conflict' | 'full'> {
    const { store, rollouts, mostDevices } = this.#needs;
    const saved = changedRecord(record, { revision: record.revision + 1 });
    const events = deviceEvents(before, saved, change);
    const members = memberChanges(view, before, saved);
    const outcome = await store.save(record, {
      mostDevices,
      audit: auditEntriesOf(events),
      queued: queuedEntriesOf(events),
      projectRevision: view.revision,
      members,
      send,
    });
    if (outcome === 'stale') return 'conflict';
    if (outcome !== 'saved') return outcome;
    for (const event of events) this.#needs.events.emit(event);
    await rollouts.haltIfNeeded(record.project, members);
    return saved;
  }

  /**
   * Changes a record, and retries if the record was changed concurrently.
   *
   * @param change receives the record, or undefined if there is none; returns the same object if nothing changes
   * @returns the record as it is now stored; undefined if neither the record nor its project exists; `full` if there is no room for a new
   *   record
   */
  async change(
    project: string,
    mac: string,
    change: Change,
    as: DeviceChange = {},
  ): Promise<DeviceRecord | undefined | 'full'> {
    const outcome = await this.conflicts.run(project, mac, async () => {
      const checked = await this.check(project, mac);
      const after = checked && change(checked.record);
      if (checked === undefined || after === undefined || after === checked.record) return after;
      return this.save(after, checked, as);
    });
    if (outcome === 'conflict') throw new Error(`the record of ${mac} keeps changing`);
    return outcome;
  }

  /** Reads devices. Returns undefined if the project does not exist. */
  async findAll(project: string, macs: readonly string[]): Promise<ReadonlyMap<string, DeviceRecord> | undefined> {
    return (await this.#needs.store.checkAll(project, macs))?.records;
  }

  /**
   * Changes several records in one transaction, and again those that were changed concurrently.
   *
   * @param macs at most 1,000 MACs
   * @param change receives the record, or undefined if there is none; returns the same object if nothing changes, and undefined for a device
   *   that is not known. A new record must be enrolled
   */
  async changeAll(
    project: string,
    macs: readonly string[],
    change: (record: DeviceRecord | undefined, mac: string) => DeviceRecord | undefined,
    as: DeviceChange = {},
  ): Promise<BulkResult> {
    const { store, catalog, rollouts, events: emitter } = this.#needs;
    const result = { changed: [] as string[], unknown: [] as string[] };
    let rest: readonly string[] = [...new Set(macs)].sort();
    const outcome = await withRetries(async () => {
      const checked = await store.checkAll(project, rest);
      const view = checked && (await catalog.at(project, checked.revision));
      if (view === undefined) return { ...result, unknown: rest };
      const read = rest.map((mac) => {
        const before = checked?.records.get(mac);
        return { mac, before, after: change(before, mac) };
      });
      const changes = read.flatMap(({ before, after }) =>
        after === undefined || after === before ? [] : [changeOf(view, before, after, as)],
      );
      const saved = changes.length === 0 ? new Set<string>() : await store.saveAll(project, changes, view.revision);
      if (saved === 'stale') return 'conflict';
      const written = changes.filter(({ record }) => saved.has(record.mac));
      for (const { events } of written) for (const event of events) emitter.emit(event);
      const members = written.flatMap((each) => each.members);
      await rollouts.haltIfNeeded(project, members);
      result.changed.push(...saved);
      result.unknown.push(...read.filter(({ after }) => after === undefined).map(({ mac }) => mac));
      rest = changes.filter(({ record }) => !saved.has(record.mac)).map(({ record }) => record.mac);
      return rest.length === 0 ? result : 'conflict';
    });
    if (outcome === 'conflict') throw new Error(`the records of ${rest.length} devices keep changing`);
    return outcome;
  }

  /**
   * Changes a record that this process has just saved. It is read again only if the record or its project has changed since: the end of a
   * download then takes one statement.
   */
  async changeSaved(saved: DeviceRecord, change: (record: DeviceRecord) => DeviceRecord): Promise<void> {
    const { project, mac } = saved;
    const view = this.#needs.catalog.view(project);
    const outcome = view && (await this.save(change(saved), { view, record: saved }));
    if (typeof outcome === 'object') return;
    await this.change(project, mac, (record) => record && change(record));
  }

  /** Removes a device. Devices that the server itself removes have no audit entry, because anyone can invent devices. */
  async remove(
    project: string,
    mac: string,
    by: Actor,
    isMeant: (record: DeviceRecord) => boolean = () => true,
  ): Promise<boolean> {
    const { store, events } = this.#needs;
    const event = { type: 'device.removed', project, mac, actor: by, at: Date.now() } as const;
    const outcome = await this.conflicts.run(project, mac, async () => {
      const checked = await this.check(project, mac);
      if (checked?.record === undefined || !isMeant(checked.record)) return false;
      const members = memberChanges(checked.view, checked.record, undefined);
      const basis = { projectRevision: checked.view.revision, revision: checked.record.revision, members };
      const audit = by === theServer ? undefined : auditEntryOf(event);
      const wasThere = await store.remove(project, mac, { audit, ...basis });
      if (wasThere === 'stale') return 'conflict';
      if (wasThere) events.emit(event);
      return wasThere;
    });
    if (outcome === 'conflict') throw new Error(`the record of ${mac} keeps changing`);
    return outcome;
  }
}

/** MACs of the devices that were changed, and of those without a record. */
interface BulkResult {
  readonly changed: readonly string[];
  readonly unknown: readonly string[];
}

function changeOf(view: ProjectView, before: DeviceRecord | undefined, record: DeviceRecord, as: DeviceChange) {
  const saved = changedRecord(record, { revision: record.revision + 1 });
  const events = deviceEvents(before, saved, as);
  return { record, events, audit: auditEntriesOf(events), members: memberChanges(view, before, saved) };
}

/** Returns the changes of a device's contributions to the newest rollout on each channel. */
function memberChanges(
  { rollouts }: ProjectView,
  before: DeviceRecord | undefined,
  after: DeviceRecord | undefined,
): readonly MemberChange[] {
  const changes = rollouts.map((rollout) => ({
    rollout: rollout.id,
    before: before && memberOf(rollout, before),
    after: after && memberOf(rollout, after),
  }));
  return changes.filter((change) => !isDeepStrictEqual(change.before, change.after));
}
