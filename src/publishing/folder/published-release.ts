import { createHash } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { manifestSuffix } from '../../core/model/artifact.ts';
import { type Manifest, readManifest } from '../../core/model/manifest.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readNamedFile, readOptionalFile } from '../../files/read.ts';
import { writeAtomically, writeError } from '../../files/write.ts';
import { type Publication, whatOf } from '../publication.ts';

/**
 * Writes a release to its version folder. The manifest is written last, because a release with a manifest is complete. Identical files
 * are kept. Missing or damaged files are rewritten.
 *
 * @throws OtaError VERSION_TAKEN, RELEASES_CLASH, FILE_UNWRITABLE, ARTIFACT_CHANGED
 */
export async function writeRelease(folder: string, publication: Publication): Promise<'written' | 'present'> {
  const { manifest, manifestText, project, version } = publication;
  const others = await releasesIn(folder);
  const present = others.find((other) => whatOf(other) === whatOf(manifest));
  if (present !== undefined && !isEqual(present, manifest)) {
    throw new OtaError('VERSION_TAKEN', { project, version, what: whatOf(manifest), where: folder });
  }
  requireOwnNames(manifest, others);
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw writeError(folder, cause);
  });
  for (const { file, sha256 } of manifest.artifacts) {
    const there = await readOptionalFile(join(folder, file));
    if (there !== undefined && createHash('sha256').update(there).digest('hex') === sha256) continue;
    await writeAtomically(join(folder, file), await publication.readArtifact(file));
  }
  if (present !== undefined) return 'present';
  await writeAtomically(join(folder, manifestNameOf(manifest)), manifestText);
  return 'written';
}

export function manifestNameOf({ image }: Manifest): string {
  return image.file + manifestSuffix;
}

/** Returns the releases in a version folder or channel folder: a sketch image and a filesystem image for each board. */
export async function releasesIn(folder: string): Promise<Manifest[]> {
  const names = await readdir(folder).catch(() => []);
  const manifests: Manifest[] = [];
  for (const name of names.filter((each) => each.endsWith(manifestSuffix) && !each.startsWith('.'))) {
    const path = join(folder, name);
    manifests.push(readManifest(await readNamedFile(path, 'manifest'), path));
  }
  return manifests;
}

/**
 * Checks that each file name belongs to only one image, because devices request files by name.
 *
 * @throws OtaError RELEASES_CLASH
 */
export function requireOwnNames(manifest: Manifest, others: readonly Manifest[]): void {
  const mine = new Set(manifest.artifacts.map(({ file }) => file));
  for (const other of others) {
    const shared = other.artifacts.find(({ file }) => mine.has(file));
    if (shared === undefined || whatOf(other) === whatOf(manifest)) continue;
    throw new OtaError('RELEASES_CLASH', {
      reason: `a folder cannot contain two images of the same version that are both named ${shared.file}`,
      builds: `${whatOf(other)}; ${whatOf(manifest)}`,
      hint: 'Rename one of the images and run `ota-hooks pack` again, or publish to a server.',
    });
  }
}

function isEqual(a: Manifest, b: Manifest): boolean {
  const bytesOf = ({ image, artifacts }: Manifest) =>
    JSON.stringify([image.sha256, artifacts.map(({ file, sha256 }) => `${file} ${sha256}`).sort()]);
  return bytesOf(a) === bytesOf(b);
}
