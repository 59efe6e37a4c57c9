import type { Log } from '../observability/log.ts';
import type { Store } from '../storage/store.ts';
import { auditEntryOf } from './events/audit-entry.ts';
import { theServer } from './events/domain-event.ts';
import type { DomainEvents } from './events/domain-events.ts';

/**
 * token: missing, unknown or revoked. login: the same on the dashboard's login page. role: a valid token that does not permit the request.
 */
export type RefusalKind = 'token' | 'login' | 'role';

type Counts = { [Kind in RefusalKind]: number };

/**
 * Maximum number of addresses with their own audit entry per interval, so that an attacker with many addresses cannot fill the log and the
 * disk.
 */
const mostAddresses = 10;
const otherAddresses = 'other addresses';

/** Rejected tokens and logins, counted by address until `flush` writes one audit entry for each address. */
export class Refusals {
  readonly #store: Pick<Store, 'audit'>;
  readonly #events: Pick<DomainEvents, 'emit'>;
  readonly #log: Log;
  #counts = new Map<string, Counts>();

  constructor({ store, events, log }: { store: Pick<Store, 'audit'>; events: Pick<DomainEvents, 'emit'>; log: Log }) {
    this.#store = store;
    this.#events = events;
    this.#log = log;
  }

  /** Counts a rejected request. The first rejected request from an address in each interval is logged, without the address. */
  note(address: string, kind: RefusalKind, token?: string): void {
    const hasOwn = this.#counts.has(address) || this.#counts.size < mostAddresses;
    const name = hasOwn ? address : otherAddresses;
    const counts = this.#counts.get(name);
    if (counts === undefined) {
      // The server cannot remove lines from its log, so the address is only in the audit log, which is kept for 30 days.
      this.#log.warn({ kind, by: token }, 'Access refused; `ota-hooks server audit` lists the address within a minute');
      this.#log.debug({ address: name, kind, by: token }, 'Address whose access was refused');
    }
    this.#counts.set(name, { ...none, ...counts, [kind]: (counts?.[kind] ?? 0) + 1 });
  }

  /** Writes an audit entry for each address whose access was rejected since the last call. */
  async flush(): Promise<void> {
    const counted = this.#counts;
    this.#counts = new Map();
    const at = Date.now();
    for (const [address, { token, login, role }] of counted) {
      const facts = { address, tokens: token, logins: login, roles: role };
      const event = { type: 'access.refused', project: undefined, actor: theServer, at, ...facts } as const;
      await this.#store.audit.add(auditEntryOf(event));
      this.#events.emit(event);
    }
  }
}

const none: Counts = { token: 0, login: 0, role: 0 };
