import { DomainError } from '../domain-error.ts';

export function unknownRollout(id: number): DomainError {
  return new DomainError('not-found', `rollout ${id} not found`, 'Check its ID in the list of rollouts.');
}
