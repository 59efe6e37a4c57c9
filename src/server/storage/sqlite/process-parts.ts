import type { Store, StoredSession } from '../store.ts';

/** Parts of a store that hold no data of the database. */
export function processParts(): Pick<Store, 'sessions' | 'failures' | 'notices' | 'wallMs' | 'lead'> {
  const sessions = new Map<string, StoredSession>();
  return {
    sessions: {
      open: async (session) => void sessions.set(session.key, session),
      find: async (key) => sessions.get(key),
      close: async (key) => void sessions.delete(key),
      removeEnded: async () => undefined,
    },
    failures: { take: async () => true, hasAny: async () => true, removeFull: async () => undefined },
    notices: { send: () => undefined, subscribe: () => () => undefined },
    wallMs: async () => Date.now(),
    lead(work) {
      const stopping = new AbortController();
      const working = work(stopping.signal);
      return {
        stop() {
          stopping.abort();
          return working;
        },
      };
    },
  };
}
