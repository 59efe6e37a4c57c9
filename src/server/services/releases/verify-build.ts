import { readFile } from 'node:fs/promises';
import { privateKeyInside } from '../../../core/firmware/private-keys.ts';
import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import type { Manifest } from '../../../core/model/manifest.ts';
import { buildDifferences } from '../../../core/preflight/build-differences.ts';

/** Input for `verifyBuild`, which is plain data because it is sent to a worker thread. */
export interface BuildToVerify {
  readonly manifest: Manifest;
  /** File path of each artifact, by SHA-256. */
  readonly blobs: ReadonlyMap<string, string>;
  /** Key named in the manifest. */
  readonly key: RsaPublicKey | undefined;
  /** Project keys. Their private halves must not appear in an image. */
  readonly projectKeys: readonly RsaPublicKey[];
}

export interface BuildVerification {
  /** Differences between the manifest and the bytes, as sentences. */
  readonly differences: readonly string[];
  readonly privateKey: 'signing-key' | 'other' | undefined;
}

/**
 * Compares the manifest of a build with the bytes of the build. Two claims in the manifest cannot be checked, because they are derived from
 * the ELF file: the proof of enforcement and the flash layout.
 */
export async function verifyBuild({ manifest, blobs, key, projectKeys }: BuildToVerify): Promise<BuildVerification> {
  const { differences, firmware } = await buildDifferences({
    manifest,
    key,
    read: async ({ sha256 }) => {
      const path = blobs.get(sha256);
      return path === undefined ? undefined : readFile(path);
    },
  });
  return { differences, privateKey: firmware && privateKeyInside(firmware.content, projectKeys) };
}
