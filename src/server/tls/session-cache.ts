import type { Server } from 'node:tls';
import { LRUCache } from 'lru-cache';

/** Maximum number of cached sessions. Each session uses about 300 bytes. */
const mostSessions = 20_000;

/**
 * Caches sessions by ID, because BearSSL resumes sessions by ID and does not support tickets. A device that resumes a session does not
 * process a certificate or perform RSA computations. The cache is in memory only, so each device performs one full handshake after a server
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
