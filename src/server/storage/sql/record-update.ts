import type { UpdateResult } from 'kysely';
import { earliestDueMs } from '../device-index.ts';
import { storedDocument } from '../device-record.ts';
import type { DeviceRecord } from '../records.ts';
import type { SaveOptions } from '../store.ts';
import { countedColumns, type DerivedColumns, derivedColumns } from './device-counts.ts';
import type { Engine } from './engine.ts';
import { type Placeholder, withPlaceholders } from './placeholders.ts';

/** Columns that the statement must not change. */
const derivedNames = ['name', 'labels', ...countedColumns] as const;

interface Values extends DerivedColumns {
  readonly project: string;
  readonly projectRevision: number;
  readonly mac: string;
  readonly revision: number;
  readonly nextRevision: number;
  readonly dueMs: number | null;
  readonly doc: string;
}

/**
 * Returns a function that saves a record in one statement, if it changes no counts and has no audit entries. It compares the same revisions
 * as the transaction of `save`, and returns false without having written anything if the transaction must decide.
 *
 * The end of each download is such a change, and so is each further check of a device with a pending update. On SQLite, the statement takes
 * 67 µs of CPU, and the transaction 359 µs.
 */
export function recordUpdate(engine: Engine): (record: DeviceRecord, options: SaveOptions) => Promise<boolean> {
  const update = withPlaceholders<Values, UpdateResult, boolean>(
    (value) => updateQuery(engine, value),
    engine.prepareChange,
  );
  return async (record, { projectRevision, members = [], audit = [], queued = [], send }) => {
    const isMore = members.length + audit.length + queued.length > 0 || send !== undefined;
    if (projectRevision === undefined || isMore || record.revision === 0) return false;
    return update({
      project: record.project,
      projectRevision,
      mac: record.mac,
      revision: record.revision,
      nextRevision: record.revision + 1,
      dueMs: earliestDueMs(record.attempts) ?? null,
      doc: storedDocument(record),
      ...derivedColumns(record),
    });
  };
}

function updateQuery({ db, hasRowLocks }: Pick<Engine, 'db' | 'hasRowLocks'>, value: Placeholder<Values>) {
  const project = db
    .selectFrom('projects')
    .select('id')
    .where('name', '=', value('project'))
    .where('revision', '=', value('projectRevision'))
    // The project keeps its revision until the commit.
    .$if(hasRowLocks, (query) => query.forShare());
  const update = db
    .updateTable('devices')
    .from(project.as('project'))
    .set({ revision: value('nextRevision'), due_ms: value('dueMs'), doc: value('doc') })
    .whereRef('devices.project_id', '=', 'project.id')
    .where('mac', '=', value('mac'))
    .where('revision', '=', value('revision'));
  return derivedNames.reduce((query, name) => query.where(name, 'is not distinct from', value(name)), update);
}
