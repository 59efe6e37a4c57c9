import { readdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { manifestSuffix } from '../../core/model/artifact.ts';
import { formatManifest, type Manifest, parseManifest } from '../../core/model/manifest.ts';
import type { Build } from '../../core/pack/build.ts';
import { digests } from '../../core/pack/digests.ts';
import { renamed } from '../../delivery/present-names.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readRegular } from '../../files/bounded-read.ts';
import { textOrNothing } from '../../files/read.ts';
import { removeFiles, writeAtomically } from '../../files/write.ts';

/**
 * Returns the name of the copies of a build, without a suffix. A filesystem image has the same project, version and board as the sketch,
 * so its name ends in `-filesystem`. Characters other than letters, digits and `_.+@-` become `-`.
 *
 * @throws OtaError OPTION_MISSING if the build has no value for a placeholder
 */
export function copyName(pattern: string, { project, version, board, image }: Manifest): string {
  const values: Readonly<Record<string, string | undefined>> = { project, version, board };
  const name = pattern.replace(/\{(\w+)\}/g, (_, part: string) => {
    const value = values[part];
    if (value !== undefined) return value;
    throw new OtaError('OPTION_MISSING', {
      subject: `"artifacts": {"name": ${JSON.stringify(pattern)}}`,
      wanted: `a ${part} for this build`,
      hint: `Set "${part}" in the configuration, or remove {${part}} from the name.`,
    });
  });
  return name.replace(/[^\w.+@-]+/g, '-').replace(/^\.+/, '') + (image.kind === 'filesystem' ? '-filesystem' : '');
}

/** Writes the copies that a manifest names. The manifest of the copies is written first, so that removal finds incomplete copies too. */
export async function writeCopies({ manifest, files }: Build, folder: string): Promise<void> {
  const { image, copyName: name } = manifest;
  const copy = name === undefined ? image.file : name + extname(image.file);
  if (copy === image.file) return;
  const copied = {
    ...manifest,
    copyName: undefined,
    copyOf: image.file,
    image: { ...image, file: copy },
    artifacts: manifest.artifacts.map((each) => ({ ...each, file: renamed(each.file, image.file, copy) })),
  };
  await writeAtomically(join(folder, copy + manifestSuffix), formatManifest(copied));
  for (const [file, bytes] of files) await writeAtomically(join(folder, renamed(file, image.file, copy)), bytes);
}

/**
 * Removes the copies of an earlier build. A source tree may contain an untrusted manifest, so a file is removed only if its digest matches
 * the manifest.
 */
export async function removeCopies(imagePath: string): Promise<void> {
  const folder = dirname(imagePath);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const manifest = name.endsWith(manifestSuffix) ? await copiedManifest(path) : undefined;
    if (manifest?.copyOf === undefined || join(folder, manifest.copyOf) !== imagePath) continue;
    for (const artifact of manifest.artifacts) await removeIfUnchanged(join(folder, artifact.file), artifact.sha256);
    await removeFiles([path]);
  }
}

async function copiedManifest(path: string): Promise<Manifest | undefined> {
  const parsed = parseManifest(await textOrNothing(path));
  return 'manifest' in parsed ? parsed.manifest : undefined;
}

async function removeIfUnchanged(path: string, sha256: string): Promise<void> {
  const bytes = await readRegular(path).catch(() => undefined);
  if (bytes !== undefined && digests(bytes).sha256 === sha256) await removeFiles([path]);
}

/** Returns images without the copies of earlier builds, which a pattern such as `build/*.bin` matches too. */
export async function withoutCopiedImages(paths: readonly string[]): Promise<string[]> {
  const images: string[] = [];
  for (const path of paths) {
    const original = (await copiedManifest(path + manifestSuffix))?.copyOf;
    if (original === undefined || !paths.includes(join(dirname(path), original))) images.push(path);
  }
  return images;
}
