import { macOf } from '../../bench/server/device-request.ts';
import type { PostgresCluster } from '../engines/postgres.ts';

/** Number of groups. A rollout opens its first stage for one group, so that about 1% of the devices can be sent its release. */
export const groupCount = 100;

export function groupOfIndex(index: number): string {
  return `g${index % groupCount}`;
}

/** Index of a device in the fleet. The last three bytes of its MAC are the index. */
export function indexOf(mac: string): number {
  return Number.parseInt(mac.replaceAll(':', '').slice(6), 16);
}

/**
 * Fills the database with copies of the device 0, which the server has recorded: enrolled, in the group g0, and checked in with the current
 * release. The kept counts are counted again, so that they agree with the copies.
 */
export async function seedDevices(cluster: PostgresCluster, database: string, devices: number): Promise<void> {
  const columns = await cluster.sql(
    `SELECT string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.columns
     WHERE table_name = 'devices' AND table_schema = 'public'`,
    database,
  );
  const group = `'g' || (n % ${groupCount})`;
  const hex = `upper(lpad(to_hex(n), 6, '0'))`;
  const copied: Readonly<Record<string, string>> = {
    mac: `'${macOf(0).slice(0, 9)}' || substr(${hex}, 1, 2) || ':' || substr(${hex}, 3, 2) || ':' || substr(${hex}, 5, 2)`,
    doc: `(jsonb_set(d.doc::jsonb, '{group}', to_jsonb(${group})))::text`,
    device_group: group,
  };
  const values = columns.split(',').map((name) => copied[name] ?? `d.${name}`);
  await cluster.sql(
    `INSERT INTO devices (${columns}) SELECT ${values.join(', ')} FROM devices d, generate_series(1, ${devices - 1}) n
       WHERE d.mac = '${macOf(0)}' ON CONFLICT DO NOTHING;
     DELETE FROM device_counts;
     INSERT INTO device_counts (${countedColumns}, devices) ${countedDevices};
     ANALYZE`,
    database,
  );
}

/** The counts of devices as they are, in the form in which the server keeps them. */
export const countedDevices = `SELECT project_id, status, coalesce(runs, ''), coalesce(device_group, ''), retention, channels, enrolled,
  count(*) FROM devices GROUP BY 1, 2, 3, 4, 5, 6, 7`;

/** Columns of `countedDevices` before the number of devices. */
export const countedColumns = 'project_id, status, runs, device_group, retention, channels, enrolled';
