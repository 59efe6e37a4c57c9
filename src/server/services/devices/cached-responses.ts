import { LRUCache } from 'lru-cache';
import type { Credential, DeviceSecret } from '../../storage/records.ts';
import type { ProjectView } from '../releases/catalog.ts';

/** Response to a device that has nothing to install, with the inputs that the response depends on. Each entry uses about 200 bytes. */
export interface CachedResponse {
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

const mostResponses = 131_072;

/**
 * Cache for devices that repeat the same update check for weeks and receive 304 each time. The response to a repeated request is read from
 * this cache unless the device record or the project has changed. The cached responses do not depend on the time.
 */
export class CachedResponses {
  readonly #responses = new LRUCache<string, CachedResponse>({ maxSize: mostResponses, sizeCalculation: () => 1 });

  get(project: string, mac: string): CachedResponse | undefined {
    return this.#responses.get(mac + project);
  }

  set(project: string, mac: string, response: CachedResponse): void {
    this.#responses.set(mac + project, response);
  }

  /** Removes the cached response because the device record has changed. */
  forget(project: string, mac: string): void {
    this.#responses.delete(mac + project);
  }
}
