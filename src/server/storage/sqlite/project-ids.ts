import type { Connection } from './connection.ts';

/** Numeric project IDs used in the tables. */
export interface ProjectIds {
  /** Returns a project's ID, or 0 if the project does not exist. No project has the ID 0. */
  idOf(project: string): number;
}

/** Creates a cache that keeps all project IDs. There are few projects, and projects are never removed. */
export function projectIds(connection: Connection): ProjectIds {
  const known = new Map<string, number>();
  const query = connection.prepare(connection.db.selectFrom('projects').select('id').where('name', '=', ''));
  return {
    idOf(project) {
      const id = known.get(project) ?? query.first(project)?.id;
      if (id === undefined) return 0;
      known.set(project, id);
      return id;
    },
  };
}
