import { LRUCache } from 'lru-cache';
import type { Credential, DeviceSecret } from '../../storage/records.ts';
import type { ProjectView } from '../releases/catalog.ts';

/** Response to a device that has nothing to install, with the inputs that the response depends on. Each entry uses about 200 bytes. */
export interface QuickAnswer {
  /** Report ID of the device (`DeviceReport.id`). */
  readonly reportId: number;
  readonly channel: string | undefined;
  /** Project state; every change creates a new object. */
  readonly view: ProjectView;
  /** Password that the device must send with every request, unless it has a secret. */
  readonly credential: Credential | undefined;
  /** Secret that the device must send with every request. */
  readonly secret: DeviceSecret | undefined;
  /** Time at which the device was last recorded as seen. */
  notedAt: number;
}

const mostAnswers = 131_072;

/**
 * Cache for devices that repeat the same update check for weeks and receive 304 each time. A repeated request is answered from this cache
 * unless the device record or the project has changed. The cached responses do not depend on the time.
 */
export class QuickAnswers {
  readonly #answers = new LRUCache<string, QuickAnswer>({ max: mostAnswers });

  get(project: string, mac: string): QuickAnswer | undefined {
    return this.#answers.get(mac + project);
  }

  set(project: string, mac: string, answer: QuickAnswer): void {
    this.#answers.set(mac + project, answer);
  }

  /** Removes the cached response because the device record has changed. */
  forget(project: string, mac: string): void {
    this.#answers.delete(mac + project);
  }
}
