import type { Log } from '../../observability/log.ts';
import type { DomainEvent } from './domain-event.ts';

type Listener = (event: DomainEvent) => unknown;

/**
 * Emits domain events. A use case emits an event once, after its change is durable and visible to update checks. Listeners run before the
 * use case continues, so they must return quickly.
 */
export class DomainEvents {
  readonly #listeners = new Set<Listener>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Adds a listener.
   *
   * @returns a function that removes the listener
   */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls all listeners. An error in a listener is logged and does not affect the use case, because the change has already been made. */
  emit(event: DomainEvent): void {
    for (const listener of this.#listeners) {
      try {
        const result = listener(event);
        if (result instanceof Promise) result.catch((error: unknown) => this.#logError(event, error));
      } catch (error) {
        this.#logError(event, error);
      }
    }
  }

  #logError({ type, project }: DomainEvent, error: unknown): void {
    this.#log.error({ err: error, event: type, project }, 'an event listener failed');
  }
}
