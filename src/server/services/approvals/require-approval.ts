import type { Actor } from '../../storage/records.ts';
import { DomainError } from '../domain-error.ts';
import type { ProjectView } from '../releases/project-view.ts';

/**
 * Requires the approval of a second person if the project does.
 *
 * @throws DomainError conflict
 */
export function requireApproval(view: ProjectView | undefined, approvedBy: Actor | undefined, hint = usualHint): void {
  if (view?.project.approval !== 'second-person' || approvedBy !== undefined) return;
  const message = `a second person must approve rollouts and promotions of ${view.project.name}`;
  throw new DomainError('conflict', message, hint);
}

const usualHint = 'Request the approval with --request-approval, or on the dashboard.';
