import { sql } from 'kysely';
import * as v from 'valibot';
import { earliestDueMs } from '../device-index.ts';
import { type DeviceDoc, deviceRecord, storedDocument } from '../device-record.ts';
import { evictedAtOnce, protectedForMs } from '../eviction.ts';
import type { DeviceRecord, SeenDevice, StoredReport } from '../records.ts';
import type { BulkDeviceChange, DeviceStore, RemoveOptions, SaveOptions, Touch } from '../store.ts';
import { writeAudit } from './audit.ts';
import {
  changeDeviceCounts,
  countBlockers,
  countDevices,
  countDevicesOn,
  countedColumns,
  countRetained,
  countStatuses,
  countVersions,
  type DerivedColumns,
  derivedColumns,
  tallyDevices,
} from './device-counts.ts';
import { listedMacs, sortedMacs } from './device-lists.ts';
import type { Database, Durability, Engine } from './engine.ts';
import { type Placeholder, withPlaceholders } from './placeholders.ts';
import { lockProject } from './projects.ts';
import { queueEvents } from './queue-events.ts';
import { recordUpdate } from './record-update.ts';
import { changeMembers } from './rollout-counts.ts';
import { maySend } from './rollout-sends.ts';
import { storedJson } from './stored-json.ts';

/** Number of devices whose last-seen times one statement writes; SQLite limits the number of values in a statement. */
const touchedAtOnce = 500;

export interface DeviceRow {
  readonly mac: string;
  readonly revision: number;
  readonly last_seen_at: number | null;
  readonly report: string | null;
  readonly doc: string;
}

export const deviceColumns = ['devices.mac', 'devices.revision', 'last_seen_at', 'report', 'devices.doc'] as const;

/** Selects the devices of a project. */
export function devicesOf(db: Database, project: string) {
  return db
    .selectFrom('devices')
    .innerJoin('projects', 'projects.id', 'project_id')
    .select(deviceColumns)
    .where('projects.name', '=', project);
}

export function sqlDevices(engine: Engine): DeviceStore {
  const { db, transaction } = engine;
  const checkedDevice = withPlaceholders<CheckValues, CheckRow, CheckRow | undefined>(
    (value) => checkQuery(engine, value),
    engine.prepareRow,
  );
  const updateRecord = recordUpdate(engine);
  const projectNamed = (name: string) =>
    db.selectFrom('projects').select(['id', 'name']).where('name', '=', name).executeTakeFirst();
  const devicesWith = async (project: { readonly id: number; readonly name: string }, macs: readonly string[]) => {
    if (macs.length === 0) return [];
    const rows = await db
      .selectFrom('devices')
      .select(deviceColumns)
      .where('project_id', '=', project.id)
      .where('mac', 'in', macs)
      .orderBy('mac')
      .execute();
    return rows.map((row) => toDevice(project.name, row));
  };
  return {
    async check(project, mac) {
      const row = await checkedDevice({ project, mac });
      if (row === undefined) return undefined;
      const { project_revision, revision, doc } = row;
      const record = revision === null || doc === null ? undefined : toRecord(project, { mac, revision, doc });
      return { record, revision: project_revision };
    },

    async get(project, mac) {
      const row = await devicesOf(db, project).where('mac', '=', mac).executeTakeFirst();
      return row && toDevice(project, row);
    },

    async save(record, options) {
      if (await updateRecord(record, options)) return 'saved';
      return transaction((change) => save(change, engine, record, options), durabilityOf(options));
    },

    async checkAll(project, macs) {
      const rows = await db
        .selectFrom('projects')
        .leftJoin('devices', (join) =>
          join.onRef('devices.project_id', '=', 'projects.id').on('devices.mac', 'in', [...macs, '']),
        )
        .select(['projects.revision as project_revision', 'devices.mac', 'devices.revision', 'devices.doc'])
        .where('projects.name', '=', project)
        .execute();
      const [first] = rows;
      if (first === undefined) return undefined;
      const records = rows.flatMap(({ mac, revision, doc }) =>
        mac === null || revision === null || doc === null
          ? []
          : [[mac, toRecord(project, { mac, revision, doc })] as const],
      );
      return { records: new Map(records), revision: first.project_revision };
    },

    saveAll: (project, changes, projectRevision) =>
      transaction((change) => saveAll(change, engine, { project, changes, projectRevision })),

    touch: (touches) =>
      transaction(async (change) => {
        for (let at = 0; at < touches.length; at += touchedAtOnce) {
          await touch(change, touches.slice(at, at + touchedAtOnce));
        }
      }, 'crash'),

    async forgetCheckIns(project, macs, at) {
      if (macs.length === 0) return;
      await transaction(async (change) => {
        await change
          .updateTable('devices')
          .set({ last_seen_at: null, report: null })
          .where('project_id', '=', ({ selectFrom }) => selectFrom('projects').select('id').where('name', '=', project))
          .where('mac', 'in', macs)
          .where('last_seen_at', '<', at)
          .execute();
      }, 'crash');
    },

    async list(project, page, filter = {}) {
      const found = await projectNamed(project);
      return found === undefined ? [] : devicesWith(found, await listedMacs(engine, found, page, filter));
    },

    async macs(project, page, filter = {}) {
      const found = await projectNamed(project);
      return found === undefined ? [] : listedMacs(engine, found, page, filter);
    },

    async sorted(project, page, filter = {}) {
      const found = await projectNamed(project);
      if (found === undefined) return [];
      const macs = await sortedMacs(engine, found, page, filter);
      const devices = new Map((await devicesWith(found, macs)).map((seen) => [seen.record.mac, seen]));
      return macs.flatMap((mac) => devices.get(mac) ?? []);
    },

    async named(project, names) {
      if (names.length === 0) return [];
      const macs = sql<string>`(
        SELECT mac FROM devices ${engine.indexedBy('devices_of_name')} JOIN projects ON projects.id = project_id
        WHERE projects.name = ${project} AND devices.name IN (${sql.join(names)}))`;
      const rows = await devicesOf(db, project).where('mac', 'in', macs).orderBy('mac').execute();
      return rows.map((row) => toDevice(project, row).record);
    },

    async overdue(servedMs, limit) {
      const rows = await db
        .selectFrom('devices')
        .innerJoin('projects', 'projects.id', 'project_id')
        .select(['projects.name', ...deviceColumns])
        .where('due_ms', '<', servedMs)
        .orderBy('due_ms')
        .limit(limit)
        .execute();
      return rows.map(({ name, ...row }) => toDevice(name, row).record);
    },

    remove: (project, mac, options) => transaction((change) => remove(change, engine, { project, mac }, options)),

    count: (project) => countDevices(db, project),
    countOn: (project, channel, { onlyEnrolled }) => countDevicesOn(db, project, { channel, onlyEnrolled }),
    tally: (project) => tallyDevices(db, project),
    countStatuses: (project) => countStatuses(db, project),
    countVersions: (project, limit) => countVersions(db, project, limit),
    countBlockers: (project) => countBlockers(db, project),
  };
}

type CheckValues = Pick<DeviceRecord, 'project' | 'mac'>;

interface CheckRow {
  readonly project_revision: number;
  readonly revision: number | null;
  readonly doc: string | null;
}

function checkQuery({ db }: Pick<Engine, 'db'>, value: Placeholder<CheckValues>) {
  return db
    .selectFrom('projects')
    .leftJoin('devices', (join) =>
      join.onRef('devices.project_id', '=', 'projects.id').on('devices.mac', '=', value('mac')),
    )
    .select(['projects.revision as project_revision', 'devices.revision', 'devices.doc'])
    .where('projects.name', '=', value('project'));
}

/** Changes by people have audit entries. Changes that result from device requests have none, and are many. */
function durabilityOf({ audit = [] }: Pick<SaveOptions, 'audit'>): Durability {
  return audit.length > 0 ? 'power-failure' : 'crash';
}

type DeviceKey = Pick<DeviceRecord, 'project' | 'mac'>;

async function save(
  db: Database,
  engine: Engine,
  record: DeviceRecord,
  { mostDevices, audit = [], queued = [], projectRevision, members = [], send }: SaveOptions,
): Promise<'saved' | 'conflict' | 'full' | 'stale'> {
  const { mac, revision } = record;
  const after = derivedColumns(record);
  const isLimited = revision === 0 && after.retention > 0;
  // New devices are counted one after the other, so that they stay within the limit.
  if (isLimited) await lockProject(db, engine, record.project);
  const found = await storedDevice(db, engine, record);
  if (found === undefined) throw new Error(`project ${record.project} does not exist`);
  const { projectId, device: before } = found;
  if (projectRevision !== undefined && found.projectRevision !== projectRevision) return 'stale';
  if ((before?.revision ?? 0) !== revision) return 'conflict';
  if (send !== undefined && !(await maySend(db, engine, send))) return 'stale';
  const evicted = isLimited ? await makeRoom(db, projectId, mostDevices) : [];
  if (evicted === 'full') return 'full';
  const isWritten =
    before === undefined ? await insert(db, projectId, record) : await update(db, projectId, record, before, after);
  if (!isWritten) return 'conflict';
  const removed = before === undefined ? evicted : [before];
  await changeDeviceCounts(db, projectId, { removed, added: [after] });
  await changeMembers(db, engine, [{ mac, members }]);
  await writeAudit(db, audit);
  await queueEvents(db, queued);
  return 'saved';
}

interface BulkChange {
  readonly project: string;
  readonly changes: readonly BulkDeviceChange[];
  readonly projectRevision: number;
}

async function saveAll(
  db: Database,
  engine: Engine,
  { project, changes, projectRevision }: BulkChange,
): Promise<ReadonlySet<string> | 'stale'> {
  const stored = await db
    .selectFrom('projects')
    .select(['id', 'revision'])
    .where('name', '=', project)
    .$if(engine.hasRowLocks, (query) => query.forShare())
    .executeTakeFirst();
  if (stored?.revision !== projectRevision) return 'stale';
  const macs = changes.map(({ record }) => record.mac);
  const rows = await db
    .selectFrom('devices')
    .select(['mac', 'revision', ...countedColumns])
    .where('project_id', '=', stored.id)
    .where('mac', 'in', macs)
    .orderBy('mac')
    .$if(engine.hasRowLocks, (query) => query.forUpdate())
    .execute();
  const before = new Map(rows.map((row) => [row.mac, row]));
  const current = changes.filter(({ record }) => (before.get(record.mac)?.revision ?? 0) === record.revision);
  const written = await upsert(
    db,
    stored.id,
    current.map(({ record }) => record),
  );
  const saved = current.filter(({ record }) => written.has(record.mac));
  await changeDeviceCounts(db, stored.id, {
    removed: saved.flatMap(({ record }) => before.get(record.mac) ?? []),
    added: saved.map(({ record }) => derivedColumns(record)),
  });
  await changeMembers(
    db,
    engine,
    saved.map(({ record, members }) => ({ mac: record.mac, members })),
  );
  await writeAudit(
    db,
    saved.flatMap(({ audit }) => audit),
  );
  return written;
}

/** Writes records whose revisions match. Returns the MACs of the written ones: another transaction may have added a new device. */
async function upsert(db: Database, projectId: number, records: readonly DeviceRecord[]): Promise<ReadonlySet<string>> {
  if (records.length === 0) return new Set();
  const values = records.map((record) => ({ ...newRow(projectId, record), revision: record.revision + 1 }));
  if (values.some(({ revision, retention }) => revision === 1 && retention > 0)) {
    throw new Error('a new device must be enrolled');
  }
  const written = await db
    .insertInto('devices')
    .values(values)
    .onConflict((conflict) =>
      conflict
        .columns(['project_id', 'mac'])
        .doUpdateSet(({ ref }) => ({
          revision: ref('excluded.revision'),
          due_ms: ref('excluded.due_ms'),
          doc: ref('excluded.doc'),
          status: ref('excluded.status'),
          name: ref('excluded.name'),
          runs: ref('excluded.runs'),
          device_group: ref('excluded.device_group'),
          labels: ref('excluded.labels'),
          channels: ref('excluded.channels'),
          enrolled: ref('excluded.enrolled'),
          blockers: ref('excluded.blockers'),
          board: ref('excluded.board'),
          release_id: ref('excluded.release_id'),
          retention: ref('excluded.retention'),
        }))
        .where('devices.revision', '=', sql<number>`excluded.revision - 1`),
    )
    .returning('devices.mac')
    .execute();
  return new Set(written.map(({ mac }) => mac));
}

interface StoredColumns extends DerivedColumns {
  readonly revision: number;
}

/** Reads the derived columns of a device, and prevents changes to its project until the end of the transaction. */
async function storedDevice(db: Database, { hasRowLocks }: Engine, { project, mac }: DeviceKey) {
  const row = await db
    .selectFrom('projects')
    .leftJoin('devices', (join) => join.onRef('devices.project_id', '=', 'projects.id').on('devices.mac', '=', mac))
    .select(['projects.id', 'projects.revision as project_revision'])
    .select([
      'devices.revision',
      'devices.name',
      'devices.labels',
      'devices.board',
      'devices.release_id',
      ...countedColumns,
    ])
    .where('projects.name', '=', project)
    .$if(hasRowLocks, (query) => query.forShare('projects'))
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { id: projectId, project_revision: projectRevision, ...device } = row;
  return { projectId, projectRevision, device: isPresent<StoredColumns>(device) ? device : undefined };
}

/** Returns whether an outer join found a device. */
function isPresent<Row extends { readonly revision: number }>(
  row: {
    readonly [Column in keyof Row]: Row[Column] | null;
  },
): row is Row {
  return row.revision !== null;
}

/** @returns false if another transaction has added the device */
async function insert(db: Database, projectId: number, record: DeviceRecord): Promise<boolean> {
  const inserted = await db
    .insertInto('devices')
    .values(newRow(projectId, record))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return (inserted.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

function newRow(projectId: number, record: DeviceRecord) {
  const { mac, attempts, firstSeenAt } = record;
  return {
    project_id: projectId,
    mac,
    revision: 1,
    due_ms: earliestDueMs(attempts) ?? null,
    // A new device counts as seen: it must not be the first to be evicted.
    last_seen_at: firstSeenAt ?? null,
    report: null,
    doc: storedDocument(record),
    ...derivedColumns(record),
  };
}

/** @returns false if another transaction has changed the device */
async function update(
  db: Database,
  projectId: number,
  record: DeviceRecord,
  before: DerivedColumns,
  after: DerivedColumns,
): Promise<boolean> {
  const { retention, ...index } = after;
  const hasSameIndex = (Object.keys(index) as (keyof typeof index)[]).every(
    (column) => before[column] === after[column],
  );
  const updated = await db
    .updateTable('devices')
    .set({
      revision: record.revision + 1,
      retention,
      due_ms: earliestDueMs(record.attempts) ?? null,
      doc: storedDocument(record),
      // SQLite would also rewrite an index entry that does not change.
      ...(hasSameIndex ? {} : index),
    })
    .where('project_id', '=', projectId)
    .where('mac', '=', record.mac)
    .where('revision', '=', record.revision)
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

/**
 * Makes room for a new device: evicts unprotected devices, least recently seen first, if the project is full.
 *
 * @returns the evicted devices
 */
async function makeRoom(db: Database, projectId: number, mostDevices: number) {
  if ((await countRetained(db, projectId, [1, 2])) < mostDevices) return [];
  const beyondHalf = (await countRetained(db, projectId, [2])) - Math.floor(mostDevices / 2);
  const most = evictedAtOnce(mostDevices);
  const ofProject = db
    .selectFrom('devices')
    .select('mac')
    .where('project_id', '=', projectId)
    // The condition of the index of these devices. It repeats the conditions below, because SQLite compares the texts of conditions.
    .where('retention', '>', sql.lit(0));
  const unprotected =
    beyondHalf > 0
      ? ofProject.where('retention', '=', 2).limit(Math.min(most, beyondHalf))
      : ofProject
          .where(({ eb }) =>
            eb.or([
              eb('retention', '=', 1),
              // The time of an old check-in is removed in the meantime (services/history.ts).
              eb.and([
                eb('retention', '=', 2),
                eb.or([eb('last_seen_at', 'is', null), eb('last_seen_at', '<', Date.now() - protectedForMs)]),
              ]),
            ]),
          )
          .limit(most);
  const idle = unprotected.orderBy('last_seen_at', (order) => order.asc().nullsFirst());
  const gone = await db
    .deleteFrom('devices')
    .where('project_id', '=', projectId)
    .where('mac', 'in', idle)
    .returning(countedColumns)
    .execute();
  return gone.length === 0 ? 'full' : gone;
}

async function remove(
  db: Database,
  engine: Engine,
  { project, mac }: DeviceKey,
  { audit, projectRevision, revision, members = [] }: RemoveOptions,
): Promise<boolean | 'stale'> {
  const found = await storedDevice(db, engine, { project, mac });
  if (found === undefined) return false;
  const { projectId } = found;
  if (projectRevision !== undefined && found.projectRevision !== projectRevision) return 'stale';
  if (found.device === undefined) return false;
  const gone = await db
    .deleteFrom('devices')
    .where('project_id', '=', projectId)
    .where('mac', '=', mac)
    .where('revision', '=', revision ?? found.device.revision)
    .returning(countedColumns)
    .execute();
  if (gone.length === 0) return 'stale';
  await changeDeviceCounts(db, projectId, { removed: gone, added: [] });
  await changeMembers(db, engine, [{ mac, members }]);
  if (audit !== undefined) await writeAudit(db, [audit]);
  return true;
}

/** Writes last-seen times with one statement per project. A later time that another process has written is kept. */
async function touch(db: Database, touches: readonly Touch[]): Promise<void> {
  const names = [...new Set(touches.map(({ project }) => project))];
  const projects = await db.selectFrom('projects').select(['id', 'name']).where('name', 'in', names).execute();
  for (const { id, name } of projects) {
    const rows = touches
      .filter(({ project }) => project === name)
      .map(({ mac, at, report }) => sql`(${mac}, CAST(${at} AS bigint), ${JSON.stringify(report)})`);
    // Both engines name the columns of VALUES in this way.
    await sql`
      UPDATE devices SET last_seen_at = seen.column2, report = seen.column3
      FROM (VALUES ${sql.join(rows)}) AS seen
      WHERE project_id = ${id} AND mac = seen.column1 AND (last_seen_at IS NULL OR last_seen_at <= seen.column2)
    `.execute(db);
  }
}

/** Minimum requirements for a device record. A complete validation would be too slow, because records are read for many update checks. */
const outline = v.custom<DeviceDoc>(isDeviceDoc, 'it has no attempts or decisions');

function isDeviceDoc(doc: unknown): boolean {
  return (
    isObject(doc) && isObject(doc['decisions']) && Array.isArray(doc['attempts']) && doc['attempts'].every(isObject)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function toDevice(project: string, { last_seen_at, report, ...row }: DeviceRow): SeenDevice {
  return {
    record: toRecord(project, row),
    lastSeenAt: last_seen_at ?? undefined,
    report: report === null ? undefined : storedJson<StoredReport>(report, `the report of ${row.mac}`),
  };
}

function toRecord(project: string, { mac, revision, doc }: Pick<DeviceRow, 'mac' | 'revision' | 'doc'>): DeviceRecord {
  return deviceRecord({ project, mac, revision }, storedJson<DeviceDoc>(doc, `the record of ${mac}`, outline));
}
