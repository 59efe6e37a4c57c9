import { createHash, randomBytes } from 'node:crypto';
import type { SessionStore, StoredSession } from '../../storage/store.ts';

/** Maximum numbers of sessions, so that log-ins cannot fill the store and a token cannot end the sessions of other tokens. */
const most = { perToken: 1000, total: 10_000 };
const lastsMs = 12 * 3_600_000;

/** Login sessions. The store keeps them, so a session is valid in all processes and after a restart. */
export class Sessions {
  readonly #store: SessionStore;
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(store: SessionStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /**
   * Starts a session.
   *
   * @returns the session ID: 256 random bits that reveal nothing about the token
   */
  async open(token: string): Promise<string> {
    const id = randomBytes(32).toString('base64url');
    // Every form in the session contains this text. A page on a different site can submit a form but cannot read the text.
    const formToken = randomBytes(32).toString('base64url');
    await this.#store.open({ key: keyOf(id), token, formToken, endsAt: this.#now() + lastsMs }, most);
    return id;
  }

  async find(id: string): Promise<StoredSession | undefined> {
    const session = await this.#store.find(keyOf(id));
    return session !== undefined && session.endsAt > this.#now() ? session : undefined;
  }

  async close(id: string): Promise<void> {
    await this.#store.close(keyOf(id));
  }
}

/** Sessions are looked up by hash, so that neither the store nor the look-up time reveals an ID. */
function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
