import { LRUCache } from 'lru-cache';
import type { Credential } from '../../storage/records.ts';
import type { ProjectView } from '../releases/catalog.ts';

/** Response to a device that has nothing to install, and the inputs it depends on; about 200 bytes each. */
export interface QuickAnswer {
  /** Report of the device (`DeviceReport.id`). */
  readonly reportId: number;
  readonly channel: string | undefined;
  /** State of the project; each change creates a new object. */
  readonly view: ProjectView;
  /** Credential that the device must send with each request. */
  readonly credential: Credential | undefined;
  /** Time at which the device was last noted as seen. */
  notedAt: number;
}

const mostAnswers = 131_072;

/**
 * Cache for devices that repeat the same update check for weeks and get 304 each time. A repeated request is served from here unless the
 * device record or the project has changed; these responses do not depend on the time.
 */
export class QuickAnswers {
  readonly #answers = new LRUCache<string, QuickAnswer>({ max: mostAnswers });

  get(project: string, mac: string): QuickAnswer | undefined {
    return this.#answers.get(mac + project);
  }

  set(project: string, mac: string, answer: QuickAnswer): void {
    this.#answers.set(mac + project, answer);
  }

  /** Removes the cached response when the device record changes. */
  forget(project: string, mac: string): void {
    this.#answers.delete(mac + project);
  }
}
