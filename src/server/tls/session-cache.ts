import type { Server } from 'node:tls';
import { LRUCache } from 'lru-cache';

/** A session takes about 300 bytes here. */
const mostSessions = 20_000;

/**
 * Caches sessions by ID, so that a device that reconnects needs neither a certificate nor RSA computations: BearSSL resumes by ID and does
 * not support tickets. The cache is in memory only; after a restart each device makes one full handshake.
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
