type Listener = (project: string) => void;

/**
 * Emits an event when something about a project changes; listeners look up the details. Events are emitted while a device request is
 * handled, so listeners must only take note.
 */
export class Changes {
  readonly #listeners = new Set<Listener>();

  /**
   * Adds a listener.
   *
   * @returns function that removes the listener
   */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(project: string): void {
    for (const listener of this.#listeners) listener(project);
  }
}
