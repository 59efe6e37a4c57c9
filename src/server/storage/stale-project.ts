/** Thrown by a write that depends on a revision of a project, if the project has another revision. Nothing was written. */
export class StaleProjectError extends Error {
  override readonly name = 'StaleProjectError';
}
