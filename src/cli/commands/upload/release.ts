import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sketchMd5s } from '../../../core/firmware/sketch-md5.ts';
import { type ImageKind, manifestSuffix } from '../../../core/model/artifact.ts';
import type { Manifest } from '../../../core/model/manifest.ts';
import type { Release } from '../../../core/preflight/release.ts';
import { openPackedRelease } from '../../../delivery/packed-release.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Io } from '../../io.ts';
import { judgeBytes } from '../../shared/file-to-judge.ts';
import { type KnownKeyOptions, namedKeys, projectKeys } from '../../shared/known-keys.ts';
import { publicKeyAt } from '../../shared/project-keys.ts';

/** A release to send: data for the planner and for the confirmation, and its bytes. */
export interface ReleaseToSend {
  /** Path of the manifest, or of the file if there is no manifest. */
  readonly path: string;
  readonly release: Release;
  /** Undefined for a file without a manifest. */
  readonly manifest: Manifest | undefined;
  /** Kind as which devices install it. */
  readonly kind: ImageKind;
  /** SHA-256 by which --resume recognizes an interrupted run. */
  readonly imageSha256: string;
  readonly sketchMd5s: Manifest['image']['sketchMd5s'];
  readonly readArtifact: (file: string) => Promise<Uint8Array>;
}

export interface ReleaseOptions {
  /** An image, an artifact or a manifest; by default the newest build of the project. */
  readonly file: string | undefined;
  /** Set by --filesystem. */
  readonly filesystem: boolean;
  readonly source: string;
  /** Keys that identify the signature of a file without a manifest. */
  readonly keys: KnownKeyOptions;
}

/**
 * Opens the release to send.
 *
 * @throws OtaError FILE_NOT_FOUND, MANIFEST_INVALID, ARTIFACT_CHANGED, IMAGES_NONE, and those of the keys
 */
export async function openReleaseToSend(
  question: ReleaseOptions,
  settings: ProjectSettings,
  io: Io,
): Promise<ReleaseToSend> {
  const { file, filesystem } = question;
  const path = file === undefined ? await findNewest(question, settings) : resolve(io.cwd, file);
  const packed = await openPackedRelease(path);
  if (packed === undefined) return openBareFile(path, question, settings, io);
  const { manifest, manifestPath, readArtifact } = packed;
  return {
    path: manifestPath,
    release: manifest,
    manifest,
    kind: filesystem ? 'filesystem' : manifest.image.kind,
    imageSha256: manifest.image.sha256,
    sketchMd5s: manifest.image.sketchMd5s,
    readArtifact,
  };
}

/** Opens a file about which only its bytes and the ELF beside it are known. */
async function openBareFile(
  path: string,
  { filesystem, keys }: ReleaseOptions,
  settings: ProjectSettings,
  io: Io,
): Promise<ReleaseToSend> {
  const bytes = await readNamedFile(path, 'image, artifact or manifest');
  if (bytes.length === 0) throw new OtaError('IMAGE_EMPTY', { path });
  const own = settings.publicKey && (await publicKeyAt(settings.publicKey, io));
  const knownKeys = [...(await namedKeys(keys, io)), ...(await projectKeys(keys, io))];
  const said = filesystem ? 'filesystem' : undefined;
  const { release, build, firmware } = await judgeBytes(path, bytes, { kind: said, knownKeys }, io);
  const sizeBytes = firmware.sketch?.sketchSizeBytes;
  return {
    path,
    // A project with a key sends signed updates, even if there is no manifest that says so.
    release: { ...release, signing: { publicKey: release.signing.publicKey ?? own } },
    manifest: build,
    kind: filesystem || firmware.kind === 'filesystem' ? 'filesystem' : 'sketch',
    imageSha256: createHash('sha256').update(bytes).digest('hex'),
    sketchMd5s: sizeBytes === undefined ? [] : [...sketchMd5s(firmware.content, sizeBytes)],
    readArtifact: async () => bytes,
  };
}

/** Returns the most recently written manifest of the configured images, or of the source folder. */
async function findNewest({ filesystem, source }: ReleaseOptions, settings: ProjectSettings): Promise<string> {
  const { default: glob } = await import('fast-glob');
  const { images } = settings.config;
  const folder = images === undefined ? source : settings.folder;
  const patterns = (images ?? ['**/*']).map((pattern) => pattern + manifestSuffix);
  const paths = await glob(patterns, {
    cwd: folder,
    absolute: true,
    dot: true,
    ignore: ['**/node_modules/**', '**/.git/**'],
  });
  const dated = await Promise.all(paths.map(async (path) => ({ path, mtimeMs: (await stat(path)).mtimeMs })));
  const kind: ImageKind = filesystem ? 'filesystem' : 'sketch';
  // A build that cannot be sent ends the search: an older build in its place would be unexpected.
  for (const { path } of dated.sort((a, b) => b.mtimeMs - a.mtimeMs)) {
    if ((await openPackedRelease(path))?.manifest.image.kind === kind) return path;
  }
  throw new OtaError('IMAGES_NONE', { what: `manifest of a ${kind}`, patterns, folder });
}
