import type { Log } from '../../observability/log.ts';
import type { DomainEvent } from './domain-event.ts';

type Listener = (event: DomainEvent) => unknown;

/**
 * Emitter of domain events. A use case emits an event once, after its change is durable and update checks see it. Listeners run before the
 * use case continues, so they must only take note.
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
   * @returns function that removes the listener
   */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls all listeners. An error of a listener is logged and does not affect the use case: its change is already made. */
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
