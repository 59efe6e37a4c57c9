import { setImmediate } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import type { DeviceStatus } from '../../../api/admin-info.ts';
import type { BuildCount, ChartStore } from '../store.ts';
import type { Engine } from './engine.ts';

/** Numbers for charts. Each method reads kept counts, an index, or only the columns that it counts. */
export function sqlCharts(engine: Engine): ChartStore {
  const { db, transaction } = engine;
  return {
    takeSample: (at, keepFrom) =>
      transaction(async (change) => {
        // Devices report any number of versions; only those of releases are kept apart.
        await sql`
          INSERT INTO version_samples (project_id, at, version, devices)
          SELECT counted.project_id, ${at}, counted.version, SUM(counted.devices) FROM (
            SELECT project_id, devices, CASE WHEN EXISTS (
              SELECT 1 FROM releases WHERE releases.project_id = device_counts.project_id AND releases.version = runs
            ) THEN runs ELSE '' END AS version
            FROM device_counts WHERE devices > 0
          ) AS counted
          GROUP BY counted.project_id, counted.version
          ON CONFLICT DO NOTHING`.execute(change);
        await change.deleteFrom('version_samples').where('at', '<', keepFrom).execute();
      }, 'crash'),

    async versionSamples(project, since) {
      const rows = await db
        .selectFrom('version_samples')
        .innerJoin('projects', 'projects.id', 'project_id')
        .select(['at', 'version', 'version_samples.devices'])
        .where('projects.name', '=', project)
        .where('at', '>=', since)
        .orderBy('at')
        .orderBy('version')
        .execute();
      return rows.map(({ at, version, devices }) => ({ at, version: version === '' ? undefined : version, devices }));
    },

    async byBuild(project) {
      const counts = new Map<string, BuildCount>();
      for await (const part of parts(engine, project, sql`board, release_id, status`, buildColumns)) {
        const { board, release_id, status, devices } = part;
        const key = JSON.stringify([board, release_id, status]);
        counts.set(key, {
          board: board ?? undefined,
          releaseId: release_id ?? undefined,
          // The type assertion is safe, because `derivedColumns` created the status.
          status: status as DeviceStatus,
          devices: (counts.get(key)?.devices ?? 0) + Number(devices),
        });
      }
      return [...counts.values()];
    },

    async lastSeen(project, times) {
      const bucket = sql`CASE WHEN last_seen_at IS NULL THEN ${times.length + 1}
        ${sql.join(
          times.map((time, index) => sql`WHEN last_seen_at >= ${time} THEN ${index}`),
          sql` `,
        )} ELSE ${times.length} END AS bucket`;
      const counts = Array.from({ length: times.length + 2 }, () => 0);
      for await (const { bucket: index, devices } of parts(engine, project, bucket, ['bucket'])) {
        counts[Number(index)] = (counts[Number(index)] ?? 0) + Number(devices);
      }
      return counts;
    },
  };
}

const buildColumns = ['board', 'release_id', 'status'];

interface Part {
  readonly devices: number;
  readonly last: string;
  readonly board: string | null;
  readonly release_id: number | null;
  readonly status: string;
  readonly bucket: number;
}

/** Number of devices that one statement counts. Device requests are handled between two statements. */
const countedAtOnce = 10_000;

/** Counts the devices of a project by the values of columns. Yields the counts of one part of the devices after the other. */
async function* parts(
  { db }: Engine,
  project: string,
  columns: RawBuilder<unknown>,
  names: readonly string[],
): AsyncGenerator<Part> {
  const grouped = sql.join(names.map((name) => sql.ref(name)));
  for (let after = ''; ; ) {
    const { rows } = await sql<Part>`
      SELECT ${grouped}, COUNT(*) AS devices, MAX(mac) AS last FROM (
        SELECT ${columns}, mac FROM devices
        WHERE project_id = (SELECT id FROM projects WHERE name = ${project}) AND mac > ${after}
        ORDER BY mac LIMIT ${countedAtOnce}
      ) AS part GROUP BY ${grouped}`.execute(db);
    yield* rows;
    const counted = rows.reduce((sum, { devices }) => sum + Number(devices), 0);
    if (counted < countedAtOnce) return;
    after =
      rows
        .map(({ last }) => last)
        .sort()
        .at(-1) ?? '';
    await setImmediate();
  }
}
