import { randomUUID } from 'node:crypto';
import { OtaError } from '../../errors/ota-error.ts';
import type { BlobSeal, BlobStore } from './blob-store.ts';
import type { DataIdentity, Store } from './store.ts';

/** Records and blobs that belong together. */
interface Pair {
  readonly store: Store;
  readonly blobs: BlobStore;
}

/** Seals of the blobs, and whether the blob store has never been used by a server. */
export interface BlobsIdentity {
  readonly seals: readonly BlobSeal[];
  readonly areUnused: boolean;
}

export async function identifyBlobs(blobs: BlobStore): Promise<BlobsIdentity> {
  const seals = await blobs.seals();
  return { seals, areUnused: seals.length === 0 && (await blobs.olderThan(Number.POSITIVE_INFINITY)).length === 0 };
}

/**
 * Checks that the database is the one that belongs to the blobs, and that it is not an older copy.
 *
 * @param data data folder for error messages; undefined if the database is not in it
 * @throws OtaError SERVER_DATABASE_LOST, SERVER_DATABASE_OLDER, SERVER_STORES_DIFFER
 */
export async function requireWhole({ store, blobs }: Pair, data: string | undefined): Promise<void> {
  const problem = (await findProblem({ store, blobs })) && (await findProblem({ store, blobs }));
  if (problem !== undefined && data === undefined) throw new OtaError('SERVER_STORES_DIFFER', { reason: problem });
  if (problem === undefined || data === undefined) return;
  if (problem === 'lost') throw new OtaError('SERVER_DATABASE_LOST', { path: data });
  throw new OtaError('SERVER_DATABASE_OLDER', { path: data, reason: problem });
}

/**
 * Reads and compares the identities. Another process may seal the data at the same time, so a problem counts only if it is found twice. The
 * database is sealed first, so it is read last.
 */
async function findProblem({ store, blobs }: Pair): Promise<PairProblem | undefined> {
  const ofBlobs = await identifyBlobs(blobs);
  return pairProblem(await store.identity(), ofBlobs);
}

/** Compares the identities of a database and of the blobs. Returns undefined if they match. */
export function pairProblem(
  identity: DataIdentity | undefined,
  { seals, areUnused }: BlobsIdentity,
): PairProblem | undefined {
  if (identity === undefined) return areUnused ? undefined : 'lost';
  // A crash during the first start leaves a database that was sealed once, and blobs without a seal.
  if (seals.length === 0) return areUnused && identity.seals <= 1 ? undefined : 'unsealed';
  if (seals.some(({ database }) => database !== identity.id)) return 'other';
  // The database is sealed first, so a crash between the two steps leaves the database one seal ahead.
  return identity.seals < newestOf(seals) ? 'older' : undefined;
}

export type PairProblem = 'lost' | 'unsealed' | 'other' | 'older';

/**
 * Increments the counter in the database, moves all committed records from its journal into the database file, and then increments the
 * counter in the seal of the blobs. A database file with a lower count is an older copy.
 *
 * @param acceptsLoss whether the database is accepted although it may have lost records; if true, no existing blob is ever removed as
 *   unused
 */
export async function sealData({ store, blobs }: Pair, { acceptsLoss = false } = {}): Promise<void> {
  const others = acceptsLoss ? await blobs.seals() : [];
  // Any of these uploads may belong to a release whose record was lost. Blobs without an upload record are kept.
  if (acceptsLoss) await store.uploads.removeBefore(Number.MAX_SAFE_INTEGER);
  const identity = await store.seal((before) => ({
    id: before?.id ?? randomUUID(),
    seals: Math.max(before?.seals ?? 0, newestOf(others)) + 1,
  }));
  await blobs.setSeal({ database: identity.id, seals: identity.seals });
}

function newestOf(seals: readonly BlobSeal[]): number {
  return Math.max(0, ...seals.map((seal) => seal.seals));
}
