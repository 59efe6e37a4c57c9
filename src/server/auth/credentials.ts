import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Credential } from '../storage/records.ts';

const keyBytes = 32;
const mostRemembered = 10_000;
/** Maximum number of concurrent password checks. Each check uses 16 MB and keeps a CPU core busy for tens of milliseconds. */
const mostAtOnce = 4;

/** Hashes a password, so that the stored credential does not reveal the password. */
async function hashCredential(user: string, password: string): Promise<Credential> {
  const salt = randomBytes(16).toString('base64url');
  const hash = await derive(password, salt);
  return { user, salt, hash: hash.toString('base64url') };
}

/** Parses an `Authorization: Basic` header value (`HTTPClient::setAuthorization`). */
export function readBasic(header: string | undefined): { user: string; password: string } | undefined {
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]{1,512})$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * Checks passwords. scrypt is slow by design, so headers with a correct password are cached as a MAC under a key that exists only in this
 * process. When the cache is full, its oldest entry is dropped.
 */
export class CredentialChecker {
  readonly #key = randomBytes(32);
  readonly #right = new Set<string>();
  #running = 0;

  /** Returns whether this header is cached as correct. A header that is not cached must be checked. */
  isKnown(credential: Credential, header: string | undefined): boolean {
    return header !== undefined && this.#right.has(this.#mark(credential, header));
  }

  /**
   * Checks the password in a header.
   *
   * @returns `busy` if too many checks are already running
   */
  async check(credential: Credential, header: string | undefined): Promise<boolean | 'busy'> {
    if (this.isKnown(credential, header)) return true;
    const given = readBasic(header);
    if (given === undefined || header === undefined) return false;
    if (this.#running >= mostAtOnce) return 'busy';
    this.#running++;
    try {
      const hash = await derive(given.password, credential.salt);
      const isUser = isEqual(Buffer.from(given.user), Buffer.from(credential.user));
      if (!isEqual(hash, Buffer.from(credential.hash, 'base64url')) || !isUser) return false;
    } finally {
      this.#running--;
    }
    const [oldest] = this.#right;
    if (this.#right.size >= mostRemembered && oldest !== undefined) this.#right.delete(oldest);
    this.#right.add(this.#mark(credential, header));
    return true;
  }

  #mark(credential: Credential, header: string): string {
    const text = JSON.stringify([credential.user, credential.hash, header]);
    return createHmac('sha256', this.#key).update(text).digest('base64');
  }
}

function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function derive(password: string, salt: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, Buffer.from(salt, 'base64url'), keyBytes, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

/** Returns the credential to store: undefined keeps the current credential, and null removes it. */
export async function withPassword(
  before: Credential | undefined,
  request: { user: string; password: string } | null | undefined,
): Promise<Credential | undefined> {
  if (request === undefined) return before;
  return request === null ? undefined : hashCredential(request.user, request.password);
}
