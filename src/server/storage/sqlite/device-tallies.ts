import type { DeviceStatus } from '../../../api/admin-info.ts';
import type { DeviceCount } from '../store.ts';
import type { Connection } from './connection.ts';
import type { Told } from './device-lists.ts';

type Kind = Pick<Told, 'standing' | 'runs' | 'device_group'>;

/** Device counts by state, version and group, in memory: counted once, then updated with each save. */
export class DeviceTallies {
  readonly #connection: Connection;
  readonly #projects = new Map<number, Map<string, number>>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  of(projectId: number): DeviceCount[] {
    return [...this.#counted(projectId)].map(([key, devices]) => {
      const { standing, runs, device_group } = kindOf(key);
      return { status: standing, runs: runs ?? undefined, group: device_group ?? undefined, devices };
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
    const query = this.#connection.sql
      .selectFrom('devices')
      .select(({ fn }) => ['standing', 'runs', 'device_group', fn.countAll<number>().as('devices')])
      .where('project_id', '=', projectId)
      .groupBy(['standing', 'runs', 'device_group']);
    const counts = new Map(
      // Written by `toldOf`.
      this.#connection
        .all(query)
        .map((row) => [keyOf({ ...row, standing: row.standing as DeviceStatus }), row.devices]),
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

function keyOf({ standing, runs, device_group }: Kind): string {
  return JSON.stringify([standing, runs, device_group]);
}

function kindOf(key: string): Kind {
  // Written by `keyOf`.
  const [standing, runs, device_group] = JSON.parse(key) as [DeviceStatus, string | null, string | null];
  return { standing, runs, device_group };
}
