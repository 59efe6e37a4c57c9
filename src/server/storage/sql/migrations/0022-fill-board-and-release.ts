import type { Database } from '../engine.ts';
import type { SchemaMigration } from '../schema-migration.ts';

/** Number of devices that are read at once. */
const devicesAtOnce = 1000;

/**
 * Fills the board and the running release of devices that were stored before the migration 0020, so that lists and charts find them without
 * waiting for the next change of each device.
 */
export const fillBoardAndRelease: SchemaMigration = { oldestProgram: '0.1.0', up: fillLists };

/** Fills the columns that migration 0020 added, where both are empty, from the documents of the devices. */
export async function fillLists(db: Database): Promise<void> {
  for (let last = { project_id: 0, mac: '' }; ; ) {
    const rows = await db
      .selectFrom('devices')
      .select(['project_id', 'mac', 'doc'])
      .where('board', 'is', null)
      .where('release_id', 'is', null)
      .where(({ eb, refTuple, tuple }) => eb(refTuple('project_id', 'mac'), '>', tuple(last.project_id, last.mac)))
      .orderBy('project_id')
      .orderBy('mac')
      .limit(devicesAtOnce)
      .execute();
    for (const { key, macs } of alike(rows)) {
      const { project_id, ...columns } = key;
      const update = db.updateTable('devices').set(columns).where('project_id', '=', project_id);
      await update.where('mac', 'in', macs).execute();
    }
    const next = rows.at(-1);
    if (next === undefined || rows.length < devicesAtOnce) return;
    last = next;
  }
}

interface Key {
  readonly project_id: number;
  readonly board: string | null;
  readonly release_id: number | null;
}

/** Groups devices with the same values: one statement per device would take minutes in a large fleet. */
function alike(rows: readonly { readonly project_id: number; readonly mac: string; readonly doc: string }[]) {
  const groups = new Map<string, { readonly key: Key; readonly macs: string[] }>();
  for (const { project_id, mac, doc } of rows) {
    const { board, shownBoard, running } = documentIn(doc);
    const key: Key = { project_id, board: board ?? shownBoard ?? null, release_id: running?.releaseId ?? null };
    if (key.board === null && key.release_id === null) continue;
    const name = JSON.stringify(key);
    const group = groups.get(name) ?? { key, macs: [] };
    group.macs.push(mac);
    groups.set(name, group);
  }
  return groups.values();
}

interface Doc {
  readonly board?: string;
  readonly shownBoard?: string;
  readonly running?: { readonly releaseId?: number };
}

/** Reads a document. `server check` reports a damaged one, which must not keep the server from starting here. */
function documentIn(text: string): Doc {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
