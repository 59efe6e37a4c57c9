import * as v from 'valibot';
import type { Log } from '../../observability/log.ts';
import type { Notices } from '../../storage/store.ts';
import type { DomainEvent } from './domain-event.ts';

const noticeSchema = v.object({ type: v.string(), project: v.optional(v.string()), mac: v.optional(v.string()) });

/** Parts of an event that all processes receive. */
export type EventNotice = v.InferOutput<typeof noticeSchema>;

type Listener<Event> = (event: Event) => unknown;

/**
 * Emits domain events. A use case emits an event once, after its change is durable and visible to update checks. Listeners run before the
 * use case continues, so they must return quickly.
 */
export class DomainEvents {
  readonly #listeners = new Set<Listener<DomainEvent>>();
  readonly #followers = new Set<Listener<EventNotice>>();
  readonly #log: Log;
  readonly #notices: Notices;

  constructor(log: Log, notices: Notices) {
    this.#log = log;
    this.#notices = notices;
    notices.subscribe((text) => {
      const notice = noticeIn(text);
      if (notice !== undefined) this.#call(this.#followers, notice);
    });
  }

  /**
   * Adds a listener for the events of this process.
   *
   * @returns a function that removes the listener
   */
  subscribe(listener: Listener<DomainEvent>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Adds a listener for the events of all processes. Events of other processes may be lost.
   *
   * @returns a function that removes the listener
   */
  follow(listener: Listener<EventNotice>): () => void {
    this.#followers.add(listener);
    return () => void this.#followers.delete(listener);
  }

  /** Calls all listeners. An error in a listener is logged and does not affect the use case, because the change has already been made. */
  emit(event: DomainEvent): void {
    this.#call(this.#listeners, event);
    const notice = noticeOf(event);
    this.#call(this.#followers, notice);
    this.#notices.send(JSON.stringify(notice));
  }

  #call<Event extends EventNotice>(listeners: ReadonlySet<Listener<Event>>, event: Event): void {
    for (const listener of listeners) {
      try {
        const result = listener(event);
        if (result instanceof Promise) result.catch((error: unknown) => this.#logError(event, error));
      } catch (error) {
        this.#logError(event, error);
      }
    }
  }

  #logError({ type, project }: EventNotice, error: unknown): void {
    this.#log.error({ err: error, event: type, project }, 'an event listener failed');
  }
}

function noticeOf(event: DomainEvent): EventNotice {
  const { type, project } = event;
  return { type, project, mac: 'mac' in event ? event.mac : undefined };
}

function noticeIn(text: string): EventNotice | undefined {
  try {
    const read = v.safeParse(noticeSchema, JSON.parse(text));
    return read.success ? read.output : undefined;
  } catch {
    return undefined;
  }
}
