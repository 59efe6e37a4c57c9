import type { Connection } from './connection.ts';

/** Numeric ids of projects in the tables. */
export interface ProjectIds {
  /** Returns the id of a project; 0, which no project has, if it does not exist. */
  idOf(project: string): number;
}

/** Creates a cache of project ids. It keeps all of them: projects are few and are never removed. */
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
