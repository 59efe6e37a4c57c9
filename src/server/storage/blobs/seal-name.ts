import type { BlobSeal } from '../blob-store.ts';

/**
 * Returns the name of the file that stores a seal. The name changes with every seal, so copying an older folder over newer blobs does not
 * replace the newer seal, and an empty file is still a seal.
 */
export function sealName({ database, seals }: BlobSeal): string {
  return `database-${database}-${seals}.txt`;
}

/** Returns the seal that a file stores; undefined if the file is not a seal. */
export function parseSealName(name: string): BlobSeal | undefined {
  const [, database, seals] = /^database-([0-9a-z-]+)-(\d{1,15})\.txt$/.exec(name) ?? [];
  return database === undefined ? undefined : { database, seals: Number(seals) };
}
