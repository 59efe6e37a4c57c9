import type { ProjectView } from '../catalogue.ts';
import { Lru } from '../lru.ts';
import type { Credential } from '../store/records.ts';

/** What was answered to a device that has nothing to do, and on what that depended. About 300 bytes each. */
export interface QuickAnswer {
  /** All of its request that matters. */
  readonly key: string;
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
    this.#answers.set(mac + project, { ...answer, key: flat(answer.key) });
  }

  /** Its record changes. */
  forget(project: string, mac: string): void {
    this.#answers.delete(mac + project);
  }
}

/** V8 keeps a text that was put together as its parts, the headers of the request among them: 700 bytes an answer in place of 270. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
