import { basename, dirname, join } from 'node:path';
import { artefactSuffixes, manifestSuffix } from '../../core/model/artefact.ts';
import { formatManifest, type Manifest, parseManifest } from '../../core/model/manifest.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readNamedFile } from '../../files/read.ts';
import { removeFiles, removeLeftovers, writeAtomically } from '../../files/write.ts';
import type { Build } from '../../core/pack/build.ts';
import { digests } from '../../core/pack/digests.ts';

/**
 * Removes whatever an earlier build left beside an image: artefacts, the manifest, and temporary files of a hook that was killed. A
 * stale artefact is worse than none: espota.py sends it without a word.
 */
export async function removeStaleArtefacts(imagePath: string): Promise<void> {
  for (const suffix of [...artefactSuffixes, manifestSuffix]) await removeLeftovers(imagePath + suffix);
}

/**
 * Removes the signatures of an earlier build beside a manifest: those that it does not list. When it cannot be read it lists none.
 */
export async function removeStaleSignatures(manifestPath: string, manifest: Manifest | undefined): Promise<void> {
  if (!manifestPath.endsWith(manifestSuffix)) return;
  const imagePath = manifestPath.slice(0, -manifestSuffix.length);
  const listed = new Set(manifest?.artefacts.map(({ file }) => file));
  for (const suffix of artefactSuffixes) {
    const path = imagePath + suffix;
    if (suffix !== '.gz' && !listed.has(basename(path))) await removeLeftovers(path);
  }
}

/**
 * Writes a build beside its image; the manifest last, so that one which is there speaks of artefacts which are there. When a file
 * cannot be written, those that were are taken back; a manifest that was there remains.
 *
 * @param present names of the files that are there already; the image always is
 * @returns the paths written, the manifest's last
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
    await writeAtomically(manifestPath, formatManifest(manifest));
    return [...written, manifestPath];
  } catch (error) {
    await removeFiles(written).catch(() => undefined);
    throw error;
  }
}

/**
 * Reads a build back from its manifest and makes sure that the unsigned artefacts are the very bytes that it describes.
 *
 * @throws OtaError FILE_NOT_FOUND, MANIFEST_INVALID, ARTEFACT_CHANGED
 */
export async function readBuild(manifestPath: string): Promise<Build> {
  const text = await readNamedFile(manifestPath, 'manifest');
  const parsed = parseManifest(Buffer.from(text).toString('utf8'));
  if ('reason' in parsed) throw new OtaError('MANIFEST_INVALID', { path: manifestPath, reason: parsed.reason });
  const files = new Map<string, Uint8Array>();
  for (const artefact of parsed.manifest.artefacts) {
    if (artefact.signature !== 'none') continue;
    const path = join(dirname(manifestPath), artefact.file);
    const bytes = await readNamedFile(path, 'artefact');
    if (digests(bytes).sha256 !== artefact.sha256)
      throw new OtaError('ARTEFACT_CHANGED', { path, manifest: manifestPath });
    files.set(artefact.file, bytes);
  }
  return { manifest: parsed.manifest, files };
}
