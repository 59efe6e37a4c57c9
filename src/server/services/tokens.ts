import { makeToken, type NewToken, type TokenWish } from '../auth/tokens.ts';
import type { Actor, TokenRecord } from '../storage/records.ts';
import type { Store } from '../storage/store.ts';
import { DomainError } from './domain-error.ts';
import { auditEntryOf } from './events/audit-entry.ts';
import { theServer } from './events/domain-event.ts';
import type { DomainEvents } from './events/domain-events.ts';

interface Parts {
  readonly store: Pick<Store, 'tokens'>;
  readonly events: Pick<DomainEvents, 'emit'>;
}

export async function createToken({ store, events }: Parts, request: TokenWish, by: Actor): Promise<NewToken> {
  const made = makeToken(request);
  const event = { type: 'token.created', actor: by, at: made.record.createdAt, ...factsOf(made.record) } as const;
  await store.tokens.create(made.record, auditEntryOf(event));
  events.emit(event);
  return made;
}

/** Creates the first admin token if no token exists yet. */
export async function firstToken(parts: Parts): Promise<string | undefined> {
  if ((await parts.store.tokens.list()).length > 0) return undefined;
  const { token } = await createToken(parts, { roles: ['admin'], project: undefined, name: 'first admin' }, theServer);
  return token;
}

/**
 * Revokes a token.
 *
 * @throws DomainError not-found; conflict if it is the last admin token
 */
export async function revokeToken({ store, events }: Parts, id: string, by: Actor): Promise<void> {
  const record = await store.tokens.find(id);
  if (record === undefined) throw unknown(id);
  const event = { type: 'token.revoked', actor: by, at: Date.now(), ...factsOf(record) } as const;
  const outcome = await store.tokens.revoke(id, auditEntryOf(event));
  if (outcome === 'unknown') throw unknown(id);
  if (outcome === 'last-admin') {
    throw new DomainError(
      'conflict',
      `token ${id} is the last admin token for all projects; without it, nothing could create another one`,
      'Create another one with `ota-hooks server tokens create --role admin`, then revoke this one with it.',
    );
  }
  events.emit(event);
}

function unknown(id: string): DomainError {
  return new DomainError('not-found', `token ${id} not found`, 'List tokens with `ota-hooks server tokens list`.');
}

function factsOf({ id, roles, channels, name, project }: TokenRecord) {
  return { id, roles, channels, name, project };
}
