import type { Server } from 'node:tls';
import { LRUCache } from 'lru-cache';

/** Each session takes about 300 bytes here. */
const mostSessions = 20_000;

/**
 * Caches sessions by ID, so that a device that reconnects does not have to process a certificate or perform RSA computations: BearSSL
 * resumes sessions by ID and does not support tickets. The cache is in memory only, so each device performs one full handshake after a
 * restart.
 */
export function cacheSessions(server: Server, most = mostSessions): void {
  const sessions = new LRUCache<string, Buffer>({ max: most });
  server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    sessions.set(id.toString('latin1'), session);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
    done(null, sessions.get(id.toString('latin1')) ?? null);
  });
}
