import { createHash, randomBytes } from 'node:crypto';

/** Visitor that has proved to know the token. */
export interface PageSession {
  /** Text that every form of the session contains. Another site can submit a form but cannot read the text. */
  readonly formToken: string;
}

/** Result of a visit with a token or a code. `used`: the code was valid, but has been used before. */
type Entry = { readonly cookie: string } | 'used' | 'invalid';

/**
 * Access to the page. The printed address contains the token. The browser is started with a code that is valid for one visit, because the
 * arguments of a program are visible to all users of the machine. Both are exchanged for a cookie.
 */
export class PageAccess {
  readonly token = randomBytes(32).toString('hex');
  /**
   * First part of all paths. Browsers send a cookie to all ports of a host; with this path, they do not send it to other programs on this
   * machine.
   */
  readonly base = `/${randomBytes(16).toString('hex')}`;
  /** Sessions by the hash of their cookie, so that look-up times reveal nothing about a cookie. */
  readonly #sessions = new Map<string, PageSession>();
  /** Unused codes by hash; after a visit, the session that the code opened. */
  readonly #codes = new Map<string, string | undefined>();

  /** Returns a new code for one visit. */
  makeCode(): string {
    const code = randomBytes(32).toString('hex');
    this.#codes.set(hashOf(code), undefined);
    return code;
  }

  /** Exchanges the token for a session. */
  enter(token: string): Entry {
    return hashOf(token) === hashOf(this.token) ? { cookie: this.#open() } : 'invalid';
  }

  /** Exchanges a code for a session. A second visit ends the session of the first one, because one of the two may be an attacker's. */
  enterOnce(code: string): Entry {
    const key = hashOf(code);
    if (!this.#codes.has(key)) return 'invalid';
    const opened = this.#codes.get(key);
    if (opened !== undefined) {
      this.#sessions.delete(opened);
      return 'used';
    }
    const cookie = this.#open();
    this.#codes.set(key, hashOf(cookie));
    return { cookie };
  }

  find(cookie: string): PageSession | undefined {
    return this.#sessions.get(hashOf(cookie));
  }

  #open(): string {
    const cookie = randomBytes(32).toString('hex');
    this.#sessions.set(hashOf(cookie), { formToken: randomBytes(32).toString('hex') });
    return cookie;
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
