import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { personId } from '../storage/person-id.ts';
import type { TokenRecord } from '../storage/records.ts';
import type { TokenStore } from '../storage/store.ts';

const rule = /^ota_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;
/** Hash to compare with an unknown token, so that the lookup takes as long as for an existing token. */
const unknownToken = createHash('sha256').update('unknown').digest();

/** Properties that are chosen when a token is created. */
export interface TokenRequest extends Pick<TokenRecord, 'roles' | 'project' | 'name'> {
  readonly channels?: readonly string[] | undefined;
  readonly person?: string | undefined;
}

export interface NewToken {
  readonly record: TokenRecord;
  /** Complete token, which is shown to its owner and never stored. Undefined for a person, who has none. */
  readonly token: string | undefined;
}

/** Creates the access of a person. The ID of its record has no secret: a token with this ID does not match the format of tokens. */
export function makeAccess(request: TokenRequest): NewToken {
  const { person } = request;
  if (person === undefined) return makeToken(request);
  const { record } = makeToken(request);
  return { record: { ...record, id: personId(person), name: person }, token: undefined };
}

/**
 * Creates a token with 256 random bits and keeps only its hash. A slow hash would add no protection, because the bits cannot be guessed.
 */
export function makeToken({
  roles,
  channels = [],
  project,
  name,
}: TokenRequest): NewToken & { readonly token: string } {
  const id = randomBytes(6).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  const hash = hashOf(secret).toString('hex');
  return { record: { id, hash, roles, channels, project, name, createdAt: Date.now() }, token: `ota_${id}_${secret}` };
}

/**
 * Finds the token that an Authorization header contains.
 *
 * @returns undefined if the token does not exist
 */
export async function findToken(tokens: TokenStore, header: string | undefined): Promise<TokenRecord | undefined> {
  const [, id, secret] = rule.exec(/^Bearer (\S+)$/i.exec(header ?? '')?.[1] ?? '') ?? [];
  if (id === undefined || secret === undefined) return undefined;
  const record = await tokens.find(id);
  const expected = record === undefined ? unknownToken : Buffer.from(record.hash, 'hex');
  return timingSafeEqual(hashOf(secret), expected) ? record : undefined;
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
