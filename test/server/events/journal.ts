import type { DomainEvent } from '../../../src/server/services/events/domain-event.ts';
import type { AuditEntry } from '../../../src/server/storage/records.ts';
import type { TestServer } from '../running-server.ts';

/** Store methods whose writes cause events. */
const writers = {
  catalog: ['publish', 'promote', 'yank', 'saveNotes', 'saveProject'],
  devices: ['save', 'saveAll', 'remove'],
  rollouts: ['create', 'save'],
  tokens: ['create', 'revoke'],
} as const;

/** Fault injected into the next writes. The store either rejects the writes or reports a revision conflict. */
type Trouble = 'none' | 'reject' | 'conflict';

interface SeenEvent {
  readonly event: DomainEvent;
  /** Audit entries in the store when the event was emitted, newest first. */
  readonly audit: Promise<readonly AuditEntry[]>;
}

/** Order in which a server stores changes and emits events. */
export interface Journal {
  /** `stored` for each completed write, and the type of each event, except `device.seen`. */
  readonly lines: string[];
  readonly seen: SeenEvent[];
  /** Fault for the next writes. A conflict is reported only once. */
  trouble: Trouble;
  /** Called before a write. */
  beforeWrite: (() => Promise<unknown>) | undefined;
  /** Called after a write has completed and before its promise resolves. */
  afterWrite: (() => Promise<unknown>) | undefined;
  /** Empties the journal and returns its lines. */
  take(): readonly string[];
}

type Write = (...values: readonly unknown[]) => Promise<unknown>;

/** Starts recording the writes and events of a server. */
export function keepJournal({ parts }: Pick<TestServer, 'parts'>): Journal {
  const journal: Journal = {
    lines: [],
    seen: [],
    trouble: 'none',
    beforeWrite: undefined,
    afterWrite: undefined,
    take() {
      journal.seen.length = 0;
      return journal.lines.splice(0);
    },
  };
  for (const [part, names] of Object.entries(writers)) {
    // Each part of the store is an object whose methods have this type.
    const functions = parts.store[part as keyof typeof writers] as unknown as Record<string, Write>;
    for (const name of names) {
      const write = functions[name];
      if (write !== undefined) functions[name] = recorded(journal, write);
    }
  }
  parts.events.subscribe((event) => {
    if (event.type === 'device.seen') return;
    journal.lines.push(event.type);
    journal.seen.push({ event, audit: parts.store.audit.list({ limit: 10 }) });
  });
  return journal;
}

function recorded(journal: Journal, write: Write): Write {
  return async (...values) => {
    // Rollout samples are not changes, so they have no audit entry.
    if (values.length === 2 && values[1] === undefined) return write(...values);
    if (journal.trouble === 'reject') throw new Error('the disk of the test is full');
    if (journal.trouble === 'conflict') {
      journal.trouble = 'none';
      return 'conflict';
    }
    await journal.beforeWrite?.();
    const result = await write(...values);
    if (result === 'stale' || result === 'conflict') return result;
    // Wait, so that an event emitted before its change is stored would be recorded ahead of the write.
    await new Promise(setImmediate);
    await journal.afterWrite?.();
    journal.lines.push('stored');
    return result;
  };
}
