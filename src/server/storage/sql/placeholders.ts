import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { RunStatement } from './engine.ts';

/** Stands for a value of a query that is compiled once. */
export type Placeholder<Values extends object> = <Name extends keyof Values & string>(
  name: Name,
) => RawBuilder<Values[Name]>;

/**
 * Compiles a query once, because compiling takes longer than running it.
 *
 * @param build builds the query with a placeholder for each value
 * @param prepare prepares the compiled query
 * @returns a function that runs the query with new values
 */
export function withPlaceholders<Values extends object, Row, Result>(
  build: (value: Placeholder<Values>) => { compile(): CompiledQuery<Row> },
  prepare: (query: CompiledQuery<Row>) => RunStatement<Result>,
): (values: Values) => Promise<Result> {
  const query = build((name) => sql`${name}`).compile();
  const run = prepare(query);
  // Every parameter is the name of a placeholder.
  const names = query.parameters as readonly (keyof Values)[];
  return (values) => run(names.map((name) => values[name]));
}
