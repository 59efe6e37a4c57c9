import { createHash, randomBytes } from 'node:crypto';
import { Lru } from '../../lru.ts';

/** Somebody who logged in. */
export interface LoginSession {
  readonly tokenId: string;
  /** Stands in every form of this session: a page of somebody else can send a form, and does not know this. */
  readonly formToken: string;
  /** Of the process's clock, in milliseconds. */
  readonly endsAt: number;
}

const mostSessions = 1000;
const lastsMs = 12 * 3_600_000;

/** Who is logged in, in memory: a restart logs everybody out. The one that was idle for longest makes way for a new one. */
export class Sessions {
  readonly #sessions = new Lru<LoginSession>(mostSessions);
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns the session's id: 256 random bits that say nothing of the token */
  open(tokenId: string): string {
    const id = randomBytes(32).toString('base64url');
    const formToken = randomBytes(32).toString('base64url');
    this.#sessions.set(keyOf(id), { tokenId, formToken, endsAt: this.#now() + lastsMs });
    return id;
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

/** Looked up by hash, so that the time it takes tells nothing of the ids that there are. */
function keyOf(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
