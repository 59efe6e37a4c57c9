import type { PostgresCluster } from '../engines/postgres.ts';
import { countedColumns, countedDevices } from './fleet.ts';
import { rowsOf } from './journal.ts';

interface Value {
  readonly key: string;
  readonly value: string;
}

/** Values that writes set, by `ApiWrite.key`. */
const values = `
SELECT json_build_object('key', 'release ' || r.version || ' of ' || p.name, 'value', r.manifest::jsonb->'image'->>'sha256')
  FROM releases r JOIN projects p ON p.id = r.project_id
UNION ALL SELECT json_build_object('key', 'rollout of ' || (doc::jsonb->>'version'), 'value', doc::jsonb->>'version') FROM rollouts
UNION ALL SELECT json_build_object('key', 'yank of ' || version, 'value', 'yanked') FROM releases WHERE yanked IS NOT NULL
UNION ALL SELECT json_build_object('key', 'current of ' || p.name, 'value', r.version)
  FROM current_releases c JOIN releases r ON r.id = c.release_id JOIN projects p ON p.id = c.project_id
UNION ALL SELECT json_build_object('key', 'name of ' || mac, 'value', doc::jsonb->>'name') FROM devices WHERE name IS NOT NULL`;

export async function readEnding(cluster: PostgresCluster, database: string): Promise<ReadonlyMap<string, string>> {
  const rows = (await rowsOf<Value>(cluster, values, database)) ?? [];
  return new Map(rows.map(({ key, value }) => [key, value]));
}

/** Kept counts of devices that differ from the devices, one a line. */
export async function wrongCounts(cluster: PostgresCluster, database: string): Promise<readonly string[]> {
  const kept = `SELECT ${countedColumns}, devices::bigint FROM device_counts WHERE devices <> 0`;
  const text = await cluster.sql(
    `(${kept} EXCEPT (${countedDevices})) UNION ALL ((${countedDevices}) EXCEPT ${kept})`,
    database,
  );
  return text.split('\n').filter(Boolean);
}
