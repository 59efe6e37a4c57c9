import { type Selectable, sql } from 'kysely';
import type { DeviceStatus } from '../../../api/admin-info.ts';
import { deviceIndex } from '../device-index.ts';
import { retentionOf } from '../eviction.ts';
import type { DeviceRecord } from '../records.ts';
import type { BlockerCount, DeviceCount, StatusCount, VersionCount } from '../store.ts';
import type { Database } from './engine.ts';
import type { Tables } from './tables.ts';

/** Columns by which `device_counts` counts devices. */
const keyColumns = ['status', 'runs', 'device_group', 'retention', 'channels', 'enrolled'] as const;
/** Columns by which devices are counted. */
export const countedColumns = [...keyColumns, 'blockers'] as const;

type Counted = Pick<Selectable<Tables['devices']>, (typeof countedColumns)[number]>;

/** Columns of a device that are derived from its document. */
export type DerivedColumns = Counted & Pick<Selectable<Tables['devices']>, 'name' | 'labels' | 'board' | 'release_id'>;

export function derivedColumns(record: DeviceRecord): DerivedColumns {
  const { status, name, runs, group, labels, channels, isEnrolled, blockers, board, releaseId } = deviceIndex(record);
  return {
    status,
    name: name ?? null,
    runs: runs ?? null,
    device_group: group ?? null,
    labels: labels.length === 0 ? null : ` ${labels.join(' ')} `,
    blockers: blockers.length === 0 ? null : blockers.join(' '),
    retention: retentionOf(record),
    channels: channels.join(' '),
    enrolled: isEnrolled ? 1 : 0,
    board: board ?? null,
    release_id: releaseId ?? null,
  };
}

/** Updates the kept counts of a project's devices, within the transaction that changes the devices. */
export async function changeDeviceCounts(
  db: Database,
  projectId: number,
  { removed, added }: { readonly removed: readonly Counted[]; readonly added: readonly Counted[] },
): Promise<void> {
  await changeBlockerCounts(
    db,
    projectId,
    differences(removed, added, ({ blockers }) => blockers ?? undefined),
  );
  const changes = differences(removed, added, countKey);
  if (changes.length === 0) return;
  const rows = changes.map(([key, devices]) => ({ project_id: projectId, ...keyOf(key), devices }));
  await db
    .insertInto('device_counts')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['project_id', ...keyColumns])
        .doUpdateSet({ devices: sql<number>`device_counts.devices + excluded.devices` }),
    )
    .execute();
}

/** Counts all devices in the form in which the counts are kept. */
export const countedDevices = sql<Selectable<Tables['device_counts']>>`
  SELECT project_id, status, coalesce(runs, '') AS runs, coalesce(device_group, '') AS device_group, retention, channels, enrolled,
    count(*) AS devices
  FROM devices GROUP BY project_id, status, coalesce(runs, ''), coalesce(device_group, ''), retention, channels, enrolled`;

async function changeBlockerCounts(
  db: Database,
  projectId: number,
  changes: readonly (readonly [string, number])[],
): Promise<void> {
  if (changes.length === 0) return;
  await db
    .insertInto('blocker_counts')
    .values(changes.map(([blockers, devices]) => ({ project_id: projectId, blockers, devices })))
    .onConflict((conflict) =>
      conflict
        .columns(['project_id', 'blockers'])
        .doUpdateSet({ devices: sql<number>`blocker_counts.devices + excluded.devices` }),
    )
    .execute();
}

/**
 * Returns by how much the number of devices changes, by key. The keys are sorted: all transactions change the counts in the same order, so
 * that they do not wait for each other in a cycle.
 *
 * @param keyOf returns undefined for a device that is not counted
 */
function differences(
  removed: readonly Counted[],
  added: readonly Counted[],
  keyOf: (device: Counted) => string | undefined,
): readonly (readonly [string, number])[] {
  const changes = new Map<string, number>();
  const count = (device: Counted, by: number) => {
    const key = keyOf(device);
    if (key !== undefined) changes.set(key, (changes.get(key) ?? 0) + by);
  };
  for (const device of removed) count(device, -1);
  for (const device of added) count(device, 1);
  return [...changes].filter(([, devices]) => devices !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Counts all devices of all projects again, within the transaction that restores the devices. */
export async function recountDevices(db: Database): Promise<void> {
  await db.deleteFrom('device_counts').execute();
  await sql`
    INSERT INTO device_counts (project_id, ${sql.join(keyColumns.map((column) => sql.ref(column)))}, devices)
    ${countedDevices}`.execute(db);
  await db.deleteFrom('blocker_counts').execute();
  await sql`
    INSERT INTO blocker_counts (project_id, blockers, devices)
    SELECT project_id, blockers, count(*) FROM devices WHERE blockers IS NOT NULL GROUP BY project_id, blockers`.execute(
    db,
  );
}

export async function countDevices(db: Database, project: string): Promise<number> {
  const query = db
    .selectFrom('device_counts')
    .innerJoin('projects', 'projects.id', 'project_id')
    .select(({ fn }) => fn.sum<number | null>('devices').as('devices'))
    .where('projects.name', '=', project);
  return (await query.executeTakeFirst())?.devices ?? 0;
}

/** Counts the devices of a project with these retentions. */
export async function countRetained(db: Database, projectId: number, retentions: readonly number[]): Promise<number> {
  const query = db
    .selectFrom('device_counts')
    .select(({ fn }) => fn.sum<number | null>('devices').as('devices'))
    .where('project_id', '=', projectId)
    .where('retention', 'in', retentions);
  return (await query.executeTakeFirst())?.devices ?? 0;
}

/**
 * Counts the devices of a project to which a channel's releases are sent.
 *
 * @param onlyEnrolled true to count only enrolled devices
 */
export async function countDevicesOn(
  db: Database,
  project: string,
  { channel, onlyEnrolled }: { readonly channel: string; readonly onlyEnrolled: boolean },
): Promise<number> {
  const query = db
    .selectFrom('device_counts')
    .innerJoin('projects', 'projects.id', 'project_id')
    .select(({ fn }) => ['channels', fn.sum<number>('devices').as('devices')])
    .where('projects.name', '=', project)
    .groupBy('channels');
  const rows = await (onlyEnrolled ? query.where('enrolled', '=', 1) : query).execute();
  const isOn = (channels: string) => channels.split(' ').includes(channel);
  return rows.reduce((sum, { channels, devices }) => sum + (isOn(channels) ? devices : 0), 0);
}

export async function tallyDevices(db: Database, project: string): Promise<DeviceCount[]> {
  const rows = await db
    .selectFrom('device_counts')
    .innerJoin('projects', 'projects.id', 'project_id')
    .select(({ fn }) => ['status', 'runs', 'device_group', fn.sum<number>('devices').as('devices')])
    .where('projects.name', '=', project)
    .groupBy(['status', 'runs', 'device_group'])
    .having(({ fn }) => fn.sum('devices'), '>', 0)
    .execute();
  return rows.map(({ status, runs, device_group, devices }) => ({
    // The type assertion is safe, because `derivedColumns` created the status.
    status: status as DeviceStatus,
    runs: runs === '' ? undefined : runs,
    group: device_group === '' ? undefined : device_group,
    devices,
  }));
}

/** Counts a project's devices by what blocks them, the most devices first. */
export function countBlockers(db: Database, project: string): Promise<BlockerCount[]> {
  const query = db
    .selectFrom('blocker_counts')
    .innerJoin('projects', 'projects.id', 'project_id')
    .select(['blockers', 'devices'])
    .where('projects.name', '=', project)
    .where('devices', '>', 0)
    .orderBy('devices', 'desc')
    .orderBy('blockers');
  return query.execute().then((rows) => rows.map((row) => ({ ...row, blockers: row.blockers.split(' ') })));
}

/** Counts a project's devices by the release that they run, the most devices first. Versions without a release are left out. */
export function countVersions(db: Database, project: string, limit: number): Promise<VersionCount[]> {
  return db
    .selectFrom('device_counts')
    .innerJoin('projects', 'projects.id', 'project_id')
    .select(({ fn }) => ['runs as version', fn.sum<number>('devices').as('devices')])
    .where('projects.name', '=', project)
    .where(({ eb, selectFrom }) => {
      const releases = selectFrom('releases').whereRef('releases.project_id', '=', 'device_counts.project_id');
      return eb('runs', 'in', releases.select('version'));
    })
    .groupBy('runs')
    .having(({ fn }) => fn.sum('devices'), '>', 0)
    .orderBy('devices', 'desc')
    .orderBy('runs')
    .limit(limit)
    .execute();
}

export async function countStatuses(db: Database, project: string): Promise<StatusCount[]> {
  const rows = await db
    .selectFrom('device_counts')
    .innerJoin('projects', 'projects.id', 'project_id')
    .select(({ fn }) => ['status', fn.sum<number>('devices').as('devices')])
    .where('projects.name', '=', project)
    .groupBy('status')
    .execute();
  // The type assertion is safe, because `derivedColumns` created the status.
  return rows.map(({ status, devices }) => ({ status: status as DeviceStatus, devices }));
}

function countKey(device: Counted): string {
  return JSON.stringify(keyColumns.map((column) => device[column] ?? ''));
}

function keyOf(key: string) {
  // The type assertion is safe, because `countKey` created the key.
  const [status, runs, device_group, retention, channels, enrolled] = JSON.parse(key) as [
    ...[string, string, string, number],
    ...[string, number],
  ];
  return { status, runs, device_group, retention, channels, enrolled };
}
