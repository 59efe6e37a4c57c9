import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** A user's login session. */
export interface LoginSession {
  readonly tokenId: string;
  /** Token included in every form in this session. A page on a different site can submit a form but cannot read the token. */
  readonly formToken: string;
  /** Milliseconds on the process's monotonic clock. */
  readonly endsAt: number;
}

const mostSessions = 10_000;
/** Maximum number of sessions per token, so that a token cannot end the sessions of other tokens. */
const mostPerToken = 1000;
const lastsMs = 12 * 3_600_000;

/**
 * Login sessions, kept only in memory, so that a restart ends all sessions. If a token has too many sessions, its least recently used
 * session is dropped. If there are too many sessions in total, the least recently used one is dropped.
 */
export class Sessions {
  readonly #sessions = new LRUCache<string, LoginSession>({ max: mostSessions });
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Starts a session.
   *
   * @returns the session ID: 256 random bits that reveal nothing about the token
   */
  open(tokenId: string): string {
    const id = randomBytes(32).toString('base64url');
    const formToken = randomBytes(32).toString('base64url');
    this.#makeRoom(tokenId);
    this.#sessions.set(keyOf(id), { tokenId, formToken, endsAt: this.#now() + lastsMs });
    return id;
  }

  /** The cache iterates from the most recently used session to the least recently used one. */
  #makeRoom(tokenId: string): void {
    const own = [...this.#sessions.entries()].filter(([, session]) => session.tokenId === tokenId);
    for (const [key] of own.slice(mostPerToken - 1)) this.#sessions.delete(key);
  }

  find(id: string): LoginSession | undefined {
    const session = this.#sessions.get(keyOf(id));
    if (session === undefined || session.endsAt > this.#now()) return session;
    this.close(id);
    return undefined;
  }

  close(id: string): void {
    this.#sessions.delete(keyOf(id));
  }
}

/** Sessions are looked up by hash, so that the lookup time reveals nothing about existing IDs. */
function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
