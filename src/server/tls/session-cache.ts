import type { Server } from 'node:tls';
import { Lru } from '../lru.ts';

/** A session takes about 300 bytes here. */
const mostSessions = 20_000;

/**
 * Remembers sessions by their ids, so that a device that comes back needs neither a certificate nor the arithmetic of RSA: BearSSL resumes
 * by id, and knows no tickets. They are kept in memory only; after a restart each device makes one full handshake.
 */
export function cacheSessions(server: Server, most = mostSessions): void {
  const sessions = new Lru<Buffer>(most);
  server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    sessions.set(id.toString('latin1'), session);
    done();
  });
  server.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
    done(null, sessions.get(id.toString('latin1')) ?? null);
  });
}
