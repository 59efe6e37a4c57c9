import { documentSchemas } from '../document-schemas.ts';
import type { ProjectRecord } from '../records.ts';
import type { StoredProject } from '../store.ts';
import type { Database, Engine } from './engine.ts';
import { storedJson } from './stored-json.ts';

/**
 * Locks a project for a change, until the end of the transaction: other changes wait, and so do changes to devices, which depend on the
 * revision of the project. Must be called before any other row is locked, so that transactions never wait for each other in a cycle.
 *
 * @returns the ID; undefined if the project does not exist
 */
export async function lockProject(
  db: Database,
  { hasRowLocks }: Pick<Engine, 'hasRowLocks'>,
  name: string,
): Promise<number | undefined> {
  const query = db.selectFrom('projects').select('id').where('name', '=', name);
  return (await query.$if(hasRowLocks, (locked) => locked.forNoKeyUpdate()).executeTakeFirst())?.id;
}

/** Increments the revision of a project, within the transaction that changes the project. */
export async function bumpRevision(db: Database, projectId: number): Promise<void> {
  const query = db.updateTable('projects').set(({ eb }) => ({ revision: eb('revision', '+', 1) }));
  await query.where('id', '=', projectId).execute();
}

/** Creates or replaces the settings of a project, without a change to its revision. */
export async function writeProject(db: Database, { name, ...settings }: ProjectRecord): Promise<void> {
  const doc = JSON.stringify(settings);
  const query = db.insertInto('projects').values({ name, doc, revision: 0 });
  await query.onConflict((conflict) => conflict.column('name').doUpdateSet({ doc })).execute();
}

interface Row {
  readonly name: string;
  readonly revision: number;
  readonly doc: string;
}

export function toProject({ name, revision, doc }: Row): StoredProject {
  const what = `the document of project ${name}`;
  const settings = storedJson<Omit<ProjectRecord, 'name'>>(doc, what, documentSchemas.projects.doc);
  return { project: { ...settings, name }, revision };
}
