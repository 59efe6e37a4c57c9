import { defaultTokenName } from '../../api/release-admin.ts';
import { makeAccess, makeToken, type NewToken, type TokenRequest } from '../auth/tokens.ts';
import { personId, personNamed } from '../storage/person-id.ts';
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

/**
 * Creates a token, or gives a person access.
 *
 * @throws DomainError conflict if the person already has access
 */
export async function createToken({ store, events }: Parts, request: TokenRequest, by: Actor): Promise<NewToken> {
  const { person } = request;
  if (person !== undefined && (await store.tokens.find(personId(person))) !== undefined) {
    const hint = 'To change the roles, revoke the access first, then create it again.';
    throw new DomainError('conflict', `${person} already has access`, hint);
  }
  const made = makeAccess(request);
  const event = createdEvent(made, by);
  await store.tokens.create(made.record, auditEntryOf(event));
  events.emit(event);
  return made;
}

function createdEvent({ record }: NewToken, by: Actor) {
  return { type: 'token.created', actor: by, at: record.createdAt, ...factsOf(record) } as const;
}

/** Names of actors, for people. */
export interface ActorNames {
  /** Returns the name of a person or of a token; undefined if the token has no name of its own or was revoked. */
  get(actor: Actor): string | undefined;
  /** Returns the actors whose ID is a text or whose name contains it. */
  matching(text: string): readonly Actor[];
}

export async function actorNames({ tokens }: Pick<Store, 'tokens'>): Promise<ActorNames> {
  const named = (await tokens.list()).filter(({ name }) => name !== defaultTokenName);
  const names = new Map(named.map(({ id, name }) => [id, name]));
  return {
    get: (actor) => personNamed(actor) ?? names.get(actor),
    matching(text) {
      const found = named.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
      // The ID of a person whose access was revoked follows from the name.
      return [text, personId(text), ...found.map(({ id }) => id)];
    },
  };
}

/**
 * Creates the first admin token if no token exists yet.
 *
 * @param keep called before the token becomes valid, so that a crash cannot leave a server whose only token is unknown
 */
export async function firstToken(
  { store, events }: Parts,
  keep: (token: string) => Promise<void>,
): Promise<string | undefined> {
  if ((await store.tokens.list()).length > 0) return undefined;
  const made = makeToken({ roles: ['admin'], project: undefined, name: 'first admin' });
  const event = createdEvent(made, theServer);
  const isFirst = await store.tokens.createFirst(made.record, auditEntryOf(event), () => keep(made.token));
  if (!isFirst) return undefined;
  events.emit(event);
  return made.token;
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
      `token ${id} was not revoked: it is the last admin token for all projects`,
      'Create another admin token with `ota-hooks server tokens create --role admin`, then use that token to revoke this one.',
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
