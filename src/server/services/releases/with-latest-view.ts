import { StaleProjectError } from '../../storage/stale-project.ts';
import { DomainError } from '../domain-error.ts';
import type { Catalog } from './catalog.ts';
import type { ProjectView } from './project-view.ts';

/** Maximum number of tries. Each further try means that another change to the project was stored, such as the release of another board. */
const mostTries = 30;

/**
 * Makes a change that depends on the state of a project. If the project changes before the change is stored, all checks are made again with
 * the new state.
 *
 * @param change makes the checks, and writes with the revision of the view (0 if the project does not exist)
 * @throws DomainError conflict, and the errors of `change`
 */
export async function withLatestView<Result>(
  catalog: Pick<Catalog, 'latest'>,
  project: string,
  change: (view: ProjectView | undefined) => Promise<Result>,
): Promise<Result> {
  for (let tries = 0; tries < mostTries; tries++) {
    try {
      return await change(await catalog.latest(project));
    } catch (error) {
      if (!(error instanceof StaleProjectError)) throw error;
    }
  }
  throw new DomainError(
    'conflict',
    `${project} is being changed by other requests`,
    'Try again when the other changes are complete.',
  );
}
