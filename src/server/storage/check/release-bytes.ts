import { type RsaPublicKey, readPublicKey } from '../../../core/keys/public-key.ts';
import type { Manifest } from '../../../core/model/manifest.ts';
import { buildDifferences, md5sOfImage } from '../../../core/preflight/build-differences.ts';
import type { BlobStore } from '../blob-store.ts';
import type { Contradiction, RelatedRecords, StoredRelease } from './related-records.ts';

/**
 * Compares the manifests and sketch MD5s of all releases with the firmware files. Releases whose files are missing or damaged are omitted,
 * because their files are reported anyway.
 */
export async function* byteContradictions(
  records: RelatedRecords,
  blobs: Pick<BlobStore, 'read'>,
): AsyncGenerator<Contradiction> {
  for (const release of records.servedReleases()) {
    if (await isComplete(release, blobs)) yield* contradictionsOf(release, records, blobs);
  }
}

async function isComplete({ manifest }: StoredRelease, blobs: Pick<BlobStore, 'read'>): Promise<boolean> {
  for (const { sha256 } of manifest.artifacts) if ((await blobs.read(sha256)) === undefined) return false;
  return true;
}

async function* contradictionsOf(
  release: StoredRelease,
  records: RelatedRecords,
  blobs: Pick<BlobStore, 'read'>,
): AsyncGenerator<Contradiction> {
  const { manifest } = release;
  const key = keyOf(manifest);
  const { differences, firmware } = await buildDifferences({
    manifest,
    key: key === 'wrong' ? undefined : key,
    read: ({ sha256 }) => blobs.read(sha256),
    isStored: true,
  });
  if (key === 'wrong') yield mismatch(release, 'the public key of the signature does not match its fingerprint');
  for (const difference of differences) yield mismatch(release, difference);
  if (firmware === undefined) return;
  yield* records.md5Contradictions(release, md5sOfImage(firmware, manifest.image.kind));
}

function mismatch({ id, text }: StoredRelease, difference: string): Contradiction {
  return { kind: 'manifest-mismatch', message: `releases ${id}: the manifest of ${text} is wrong: ${difference}` };
}

function keyOf({ signing: { publicKey } }: Manifest): RsaPublicKey | 'wrong' | undefined {
  if (publicKey === undefined) return undefined;
  try {
    const key = readPublicKey(publicKey.pem, 'the public key in the manifest');
    return key.fingerprint === publicKey.fingerprint && key.bits === publicKey.bits ? key : 'wrong';
  } catch {
    return 'wrong';
  }
}
