import { Lru } from '../../lru.ts';
import type { Credential } from '../../storage/records.ts';
import type { ProjectView } from '../releases/catalog.ts';

/** What was answered to a device that has nothing to do, and on what that depended. About 200 bytes each. */
export interface QuickAnswer {
  /** What it said (`DeviceReport.id`), and the channel that its URL named. */
  readonly reportId: number;
  readonly channel: string | undefined;
  /** Another object, another state of the project. */
  readonly view: ProjectView;
  /** That it has to give each time. */
  readonly credential: Credential | undefined;
  /** When it was last noted as seen. */
  notedAt: number;
}

const mostAnswers = 131_072;

/**
 * A device asks the same thing for weeks, and gets 304 each time. Who asks exactly what it asked before is answered from here, unless its
 * record or its project changed since; nothing that is answered from here depends on the time.
 */
export class QuickAnswers {
  readonly #answers = new Lru<QuickAnswer>(mostAnswers);

  get(project: string, mac: string): QuickAnswer | undefined {
    return this.#answers.get(mac + project);
  }

  set(project: string, mac: string, answer: QuickAnswer): void {
    this.#answers.set(mac + project, answer);
  }

  /** Its record changes. */
  forget(project: string, mac: string): void {
    this.#answers.delete(mac + project);
  }
}
