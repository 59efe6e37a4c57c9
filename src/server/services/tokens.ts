import { makeToken, type NewToken } from '../auth/tokens.ts';
import type { Actor, TokenRecord } from '../storage/records.ts';
import type { Store } from '../storage/store.ts';
import { auditEntryOf } from './events/audit-entry.ts';
import { theServer } from './events/domain-event.ts';
import type { DomainEvents } from './events/domain-events.ts';

interface Parts {
  readonly store: Pick<Store, 'tokens'>;
  readonly events: Pick<DomainEvents, 'emit'>;
}

export async function createToken(
  { store, events }: Parts,
  request: Pick<TokenRecord, 'role' | 'project' | 'name'>,
  by: Actor,
): Promise<NewToken> {
  const made = makeToken(request);
  const event = { type: 'token.created', actor: by, at: made.record.createdAt, ...factsOf(made.record) } as const;
  await store.tokens.create(made.record, auditEntryOf(event));
  events.emit(event);
  return made;
}

/** Creates the first admin token if no token exists yet. */
export async function firstToken(parts: Parts): Promise<string | undefined> {
  if ((await parts.store.tokens.list()).length > 0) return undefined;
  const { token } = await createToken(parts, { role: 'admin', project: undefined, name: 'first admin' }, theServer);
  return token;
}

/**
 * Revokes a token.
 *
 * @returns false if the token does not exist
 */
export async function revokeToken({ store, events }: Parts, id: string, by: Actor): Promise<boolean> {
  const record = await store.tokens.find(id);
  if (record === undefined) return false;
  const event = { type: 'token.revoked', actor: by, at: Date.now(), ...factsOf(record) } as const;
  const wasThere = await store.tokens.revoke(id, auditEntryOf(event));
  if (wasThere) events.emit(event);
  return wasThere;
}

function factsOf({ id, role, name, project }: TokenRecord) {
  return { id, role, name, project };
}
