import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { manifestSuffix } from '../core/model/artifact.ts';
import { type Artifact, type Manifest, parseManifest } from '../core/model/manifest.ts';
import { readRegular } from '../files/bounded-read.ts';

/**
 * Returns a manifest with the current names of its files. Build scripts copy artifacts and manifest under other names, such as
 * `DOOR_1.0.bin.signed` for `firmware.bin.signed`. The name of the manifest determines the first part of the expected names. If a file does
 * not have its expected name, the folder is searched for a file with its digest.
 */
export async function withPresentNames(manifest: Manifest, manifestPath: string): Promise<Manifest> {
  const folder = dirname(manifestPath);
  const own = basename(manifestPath);
  const image = own.endsWith(manifestSuffix) ? own.slice(0, -manifestSuffix.length) : manifest.image.file;
  const artifacts: Artifact[] = [];
  let present: readonly string[] | undefined;
  for (const artifact of manifest.artifacts) {
    const expected = renamed(artifact.file, manifest.image.file, image);
    present ??= await readdir(folder).catch(() => []);
    const file = present.includes(expected) ? expected : await withDigest(artifact, folder, present);
    artifacts.push({ ...artifact, file: file ?? expected });
  }
  const at = manifest.artifacts.findIndex(({ file }) => file === manifest.image.file);
  const imageFile = artifacts[at]?.file ?? renamed(manifest.image.file, manifest.image.file, image);
  return { ...manifest, image: { ...manifest.image, file: imageFile }, artifacts };
}

/** Returns the name of a file of a build after its image was renamed. */
export function renamed(file: string, from: string, to: string): string {
  return file.startsWith(from) ? to + file.slice(from.length) : file;
}

async function withDigest(
  { sizeBytes, sha256 }: Artifact,
  folder: string,
  present: readonly string[],
): Promise<string | undefined> {
  for (const name of present) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() !== true || found.size !== sizeBytes) continue;
    if ((await digestOf(path)) === sha256) return name;
  }
  return undefined;
}

/** Returns the manifest in the same folder that lists the digest of a file, if any. */
export async function manifestListing(path: string): Promise<string | undefined> {
  const sha256 = await digestOf(path);
  if (sha256 === undefined) return undefined;
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.endsWith(manifestSuffix)).sort()) {
    const manifest = await manifestAt(join(folder, name));
    if (manifest?.artifacts.some((artifact) => artifact.sha256 === sha256)) return join(folder, name);
  }
  return undefined;
}

/**
 * Returns manifests without those of copies (`artifacts.name` in the configuration) whose original is in the same folder. Otherwise,
 * the copies would be treated as separate builds.
 */
export async function withoutCopies(manifestPaths: readonly string[]): Promise<string[]> {
  const originals: string[] = [];
  for (const path of manifestPaths) {
    const original = (await manifestAt(path))?.copyOf;
    const isCopy = original !== undefined && (await manifestAt(join(dirname(path), original + manifestSuffix)));
    if (!isCopy) originals.push(path);
  }
  return originals;
}

async function manifestAt(path: string): Promise<Manifest | undefined> {
  const text = await readRegular(path).catch(() => undefined);
  const parsed = text && parseManifest(text.toString('utf8'));
  return parsed && 'manifest' in parsed ? parsed.manifest : undefined;
}

async function digestOf(path: string): Promise<string | undefined> {
  const bytes = await readRegular(path).catch(() => undefined);
  return bytes && createHash('sha256').update(bytes).digest('hex');
}
