import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { OtaError } from '../../errors/ota-error.ts';
import type { BlobStore } from './blob-store.ts';
import type { DataIdentity, Store } from './store.ts';

/** Records and blobs that belong together. */
interface Pair {
  readonly store: Store;
  readonly blobs: BlobStore;
}

/** Marker stored with the blobs. Without it, a lost database would look like a new server, and every blob like an orphan. */
const markerSchema = v.object({ database: v.string(), seals: v.number() });
const markerNote = 'Identifies the database that belongs to these blobs. Do not delete this file.';

/** Returns whether the blob store has never been used by a server. */
export async function isUnused(blobs: BlobStore): Promise<boolean> {
  return (await blobs.marker()) === undefined && (await blobs.olderThan(Number.POSITIVE_INFINITY)).length === 0;
}

/**
 * Checks that the database is the one that belongs to the blobs, and that it is not an older copy.
 *
 * @param data data folder for error messages
 * @throws OtaError SERVER_DATABASE_LOST, SERVER_DATABASE_OLDER
 */
export async function requireWhole({ store, blobs }: Pair, data: string): Promise<void> {
  const problem = pairProblem(await store.identity(), await readMarker(blobs), await isUnused(blobs));
  if (problem === 'lost') throw new OtaError('SERVER_DATABASE_LOST', { path: data });
  if (problem !== undefined) throw new OtaError('SERVER_DATABASE_OLDER', { path: data, reason: problem });
}

/** Compares the identities of a database and of the blobs. Returns undefined if they match. */
export function pairProblem(
  identity: DataIdentity | undefined,
  marker: Marker | undefined,
  areBlobsUnused: boolean,
): PairProblem | undefined {
  if (identity === undefined) return areBlobsUnused ? undefined : 'lost';
  if (marker === undefined) return undefined;
  if (marker.database !== identity.id) return 'other';
  // The database is sealed first, so a crash between the two leaves the database ahead.
  return identity.seals < marker.seals ? 'older' : undefined;
}

export type PairProblem = 'lost' | 'other' | 'older';
type Marker = v.InferOutput<typeof markerSchema>;

/** Reads the marker; undefined if there is none or if it is damaged. The next seal replaces it. */
export async function readMarker(blobs: BlobStore): Promise<Marker | undefined> {
  const text = await blobs.marker();
  if (text === undefined) return undefined;
  try {
    const read = v.safeParse(markerSchema, JSON.parse(text));
    return read.success ? read.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Counts up in the database, moves all committed records from its journal into the database file, and then counts up in the marker. A
 * database file with a lower count is an older copy.
 *
 * @param acceptsLoss whether the database is accepted although it may have lost records: then no existing blob is ever removed as an orphan
 */
export async function sealData({ store, blobs }: Pair, { acceptsLoss = false } = {}): Promise<void> {
  const before = await store.identity();
  const marker = acceptsLoss ? await readMarker(blobs) : undefined;
  const identity: DataIdentity = {
    id: before?.id ?? randomUUID(),
    seals: Math.max(before?.seals ?? 0, marker?.seals ?? 0) + 1,
    keepsBlobsBefore: acceptsLoss ? Date.now() : (before?.keepsBlobsBefore ?? Date.now()),
  };
  await store.seal(identity);
  await blobs.setMarker(`${JSON.stringify({ note: markerNote, database: identity.id, seals: identity.seals })}\n`);
}
