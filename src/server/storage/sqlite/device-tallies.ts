import type { DeviceStatus } from '../../../api/admin-info.ts';
import type { DeviceCount } from '../store.ts';
import type { Connection } from './connection.ts';
import type { IndexColumns } from './device-columns.ts';

type Kind = Omit<IndexColumns, 'name'>;

/** Device counts by state, version and group. The counts are kept in memory and updated on every save. */
export class DeviceTallies {
  readonly #connection: Connection;
  readonly #projects = new Map<number, Map<string, number>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  of(projectId: number): DeviceCount[] {
    return [...this.#counted(projectId)].map(([key, devices]) => {
      const { status, runs, device_group } = kindOf(key);
      return { status, runs: runs ?? undefined, group: device_group ?? undefined, devices };
    });
  }

  /**
   * Updates the counts.
   *
   * @param before undefined if the device is new
   */
  note(projectId: number, before: Kind | undefined, after: Kind): void {
    const counts = this.#projects.get(projectId);
    if (counts === undefined) return;
    if (before !== undefined) add(counts, keyOf(before), -1);
    add(counts, keyOf(after), 1);
  }

  forget(projectId: number): void {
    this.#projects.delete(projectId);
  }

  forgetAll(): void {
    this.#projects.clear();
  }

  #counted(projectId: number): ReadonlyMap<string, number> {
    const known = this.#projects.get(projectId);
    if (known !== undefined) return known;
    const query = this.#connection.db
      .selectFrom('devices')
      .select(({ fn }) => ['status', 'runs', 'device_group', fn.countAll<number>().as('devices')])
      .where('project_id', '=', projectId)
      .groupBy(['status', 'runs', 'device_group']);
    const counts = new Map(
      // The type assertion is safe, because `save` wrote the status.
      this.#connection.all(query).map((row) => [keyOf({ ...row, status: row.status as DeviceStatus }), row.devices]),
    );
    this.#projects.set(projectId, counts);
    return counts;
  }
}

function add(counts: Map<string, number>, key: string, difference: number): void {
  const devices = (counts.get(key) ?? 0) + difference;
  if (devices === 0) counts.delete(key);
  else counts.set(key, devices);
}

function keyOf({ status, runs, device_group }: Kind): string {
  return JSON.stringify([status, runs, device_group]);
}

function kindOf(key: string): Kind {
  // The type assertion is safe, because `keyOf` created the key.
  const [status, runs, device_group] = JSON.parse(key) as [DeviceStatus, string | null, string | null];
  return { status, runs, device_group };
}
