type Listener = (project: string) => void;

/**
 * Tells whoever listens that something about a project changed; what, they have to look up. It is told in the middle of answering a
 * device: listeners only take note.
 */
export class Changes {
  readonly #listeners = new Set<Listener>();

  /** @returns what ends it */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(project: string): void {
    for (const listener of this.#listeners) listener(project);
  }
}
