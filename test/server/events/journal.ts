import type { DomainEvent } from '../../../src/server/services/events/domain-event.ts';
import type { AuditEntry } from '../../../src/server/storage/records.ts';
import type { TestServer } from '../running-server.ts';

/** Methods of the store that write a change of an event. */
const writers = {
  catalog: ['publish', 'promote', 'yank', 'saveProject'],
  devices: ['save', 'remove'],
  rollouts: ['create', 'save'],
  tokens: ['create', 'revoke'],
} as const;

/** What a test makes of the next writes: the store rejects them, or reports a conflict of revisions instead of writing. */
type Trouble = 'none' | 'reject' | 'conflict';

interface SeenEvent {
  readonly event: DomainEvent;
  /** Audit entries of the store when the event was emitted, newest first. */
  readonly audit: Promise<readonly AuditEntry[]>;
}

/** Order in which a server stores changes and emits events. */
export interface Journal {
  /** `stored` for each completed write, and the type of each event, except `device.seen`. */
  readonly lines: string[];
  readonly seen: SeenEvent[];
  /** Trouble of the next writes; a conflict happens once. */
  trouble: Trouble;
  /** Called when a write is complete and its promise has not resolved. */
  afterWrite: (() => Promise<unknown>) | undefined;
  /** Empties the journal and returns its lines. */
  take(): readonly string[];
}

type Write = (...values: readonly unknown[]) => Promise<unknown>;

/** Records the writes and events of a server from now on. */
export function keepJournal({ parts }: Pick<TestServer, 'parts'>): Journal {
  const journal: Journal = {
    lines: [],
    seen: [],
    trouble: 'none',
    afterWrite: undefined,
    take() {
      journal.seen.length = 0;
      return journal.lines.splice(0);
    },
  };
  for (const [part, names] of Object.entries(writers)) {
    // Each part of the store is an object of such functions.
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
    // Samples of a rollout are no change; they have no audit entry.
    if (values.length === 2 && values[1] === undefined) return write(...values);
    if (journal.trouble === 'reject') throw new Error('the disk of the test is full');
    if (journal.trouble === 'conflict') {
      journal.trouble = 'none';
      return 'conflict';
    }
    const result = await write(...values);
    // Events of an eager use case would come first.
    await new Promise(setImmediate);
    await journal.afterWrite?.();
    journal.lines.push('stored');
    return result;
  };
}
