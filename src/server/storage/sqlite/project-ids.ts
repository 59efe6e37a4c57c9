import type { Connection } from './connection.ts';

/** The numbers that rows know projects by. */
export interface ProjectIds {
  /** 0, which no project has, where there is no such project. */
  idOf(project: string): number;
}

/** Projects are few and never go away. */
export function projectIds(connection: Connection): ProjectIds {
  const known = new Map<string, number>();
  const query = connection.prepare(connection.sql.selectFrom('projects').select('id').where('name', '=', ''));
  return {
    idOf(project) {
      const id = known.get(project) ?? query.first(project)?.id;
      if (id === undefined) return 0;
      known.set(project, id);
      return id;
    },
  };
}
