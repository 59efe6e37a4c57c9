import { documentSchemas } from '../document-schemas.ts';
import type { ProjectRecord } from '../records.ts';
import { StaleProjectError } from '../stale-project.ts';
import type { StoredProject } from '../store.ts';
import type { Database, Engine } from './engine.ts';
import { storedJson } from './stored-json.ts';

export interface LockedProject {
  readonly id: number;
  readonly revision: number;
}

/**
 * Locks a project for a change, until the end of the transaction: other changes wait, and so do changes to devices, which depend on the
 * revision of the project. Must be called before any other row is locked, so that transactions never wait for each other in a cycle. Only a
 * rollout that is saved is locked before its project.
 *
 * @returns undefined if the project does not exist
 */
export async function lockProject(
  db: Database,
  { hasRowLocks }: Pick<Engine, 'hasRowLocks'>,
  name: string,
): Promise<LockedProject | undefined> {
  const query = db.selectFrom('projects').select(['id', 'revision']).where('name', '=', name);
  return query.$if(hasRowLocks, (locked) => locked.forNoKeyUpdate()).executeTakeFirst();
}

/** @throws StaleProjectError if the project has another revision than the one on which a change is based; 0 if it must be new */
export function requireRevision(project: LockedProject | undefined, expected: number | undefined): void {
  if (expected !== undefined && (project?.revision ?? 0) !== expected) {
    throw new StaleProjectError('the project has changed');
  }
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
