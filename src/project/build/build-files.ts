import { basename, dirname, join } from 'node:path';
import { artifactSuffixes, billSuffix, manifestSuffix } from '../../core/model/artifact.ts';
import { formatManifest, type Manifest, readManifest } from '../../core/model/manifest.ts';
import type { Build } from '../../core/pack/build.ts';
import { digests } from '../../core/pack/digests.ts';
import { withPresentNames } from '../../delivery/present-names.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readNamedFile } from '../../files/read.ts';
import { removeFiles, removeLeftovers, writeAtomically } from '../../files/write.ts';
import { removeCopies, writeCopies } from './copies.ts';

/**
 * Removes files that an earlier build left beside an image: artifacts, the manifest, and temporary files of a killed hook. espota.py
 * would send a stale artifact without a warning. Signed files are removed first, because they are the ones that espota.py prefers.
 *
 * @throws OtaError FILE_UNREMOVABLE
 */
export async function removeStaleArtifacts(imagePaths: readonly string[]): Promise<void> {
  const suffixes = [...artifactSuffixes].sort((a, b) => Number(isSignedSuffix(b)) - Number(isSignedSuffix(a)));
  const stale = [...suffixes, manifestSuffix, billSuffix].flatMap((suffix) => imagePaths.map((path) => path + suffix));
  await removeLeftovers(stale).finally(() => Promise.all(imagePaths.map(removeCopies)));
}

/**
 * Removes signed files that an earlier build left beside a manifest. Signed files that the manifest lists are kept. If the manifest
 * cannot be read, all signed files are removed.
 */
export async function removeStaleSignatures(manifestPath: string, manifest: Manifest | undefined): Promise<void> {
  if (!manifestPath.endsWith(manifestSuffix)) return;
  const imagePath = manifestPath.slice(0, -manifestSuffix.length);
  const listed = new Set(manifest?.artifacts.map(({ file }) => file));
  const signed = artifactSuffixes.filter(isSignedSuffix).map((suffix) => imagePath + suffix);
  await removeLeftovers(signed.filter((path) => !listed.has(basename(path))));
}

function isSignedSuffix(suffix: string): boolean {
  return suffix !== '.gz' && suffix !== '.raw';
}

/**
 * Writes a build beside its image. The manifest is written last, so that it refers only to existing artifacts. If writing a file fails,
 * the files already written are removed, and an earlier manifest is kept.
 *
 * @param present names of the files that already exist, which always include the image
 * @returns the written paths, with the manifest last
 * @throws OtaError FILE_UNWRITABLE, FOLDER_MISSING
 */
export async function writeBuild(
  build: Build,
  folder: string,
  present: ReadonlySet<string> = new Set([build.manifest.image.file]),
): Promise<string[]> {
  const { manifest } = build;
  const written: string[] = [];
  try {
    for (const [file, bytes] of build.files) {
      if (present.has(file)) continue;
      written.push(join(folder, file));
      await writeAtomically(join(folder, file), bytes);
    }
    const manifestPath = join(folder, manifest.image.file + manifestSuffix);
    await writeCopies(build, folder);
    await writeAtomically(manifestPath, formatManifest(manifest));
    return [...written, manifestPath];
  } catch (error) {
    await removeFiles(written).catch(() => undefined);
    throw error;
  }
}

/**
 * Reads a build from its manifest and checks that the unsigned artifacts match the digests in the manifest.
 *
 * @throws OtaError FILE_NOT_FOUND, MANIFEST_INVALID, FORMAT_TOO_NEW, ARTIFACT_CHANGED
 */
export async function readBuild(manifestPath: string): Promise<Build> {
  const text = await readNamedFile(manifestPath, 'manifest');
  const manifest = await withPresentNames(readManifest(text, manifestPath), manifestPath);
  const files = new Map<string, Uint8Array>();
  for (const artifact of manifest.artifacts) {
    if (artifact.signature !== 'none') continue;
    const path = join(dirname(manifestPath), artifact.file);
    const bytes = await readNamedFile(path, 'artifact');
    if (digests(bytes).sha256 !== artifact.sha256)
      throw new OtaError('ARTIFACT_CHANGED', { path, manifest: manifestPath });
    files.set(artifact.file, bytes);
  }
  return { manifest, files };
}
