import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { sketchMd5s } from '../../../core/firmware/sketch-md5.ts';
import type { ImageKind } from '../../../core/model/artifact.ts';
import type { Manifest } from '../../../core/model/manifest.ts';
import type { Release } from '../../../core/preflight/release.ts';
import { openPackedRelease } from '../../../delivery/packed-release.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Io } from '../../io.ts';
import { prepareBytes } from '../file-to-check.ts';
import { type KnownKeyOptions, namedKeys, projectKeys, withProjectKey } from '../known-keys.ts';
import { chooseBuild } from './choose-build.ts';

/** Release to send: its artifacts, and the data for planning and confirming updates. */
export interface ReleaseToSend {
  /** Path of the manifest, or of the file if there is no manifest. */
  readonly path: string;
  readonly release: Release;
  /** Manifest; undefined for a file without a manifest. */
  readonly manifest: Manifest | undefined;
  /** Kind of image that devices install: sketch or filesystem. */
  readonly kind: ImageKind;
  /** SHA-256 of the image. --resume uses it to recognize an interrupted run. */
  readonly imageSha256: string;
  readonly sketchMd5s: Manifest['image']['sketchMd5s'];
  readonly readArtifact: (file: string) => Promise<Uint8Array>;
}

export interface ReleaseOptions {
  /** Path of an image, an artifact or a manifest; by default, the project's only build. */
  readonly file: string | undefined;
  /** Environment whose build is sent. */
  readonly environment?: string | undefined;
  /** True if --filesystem is set. */
  readonly filesystem: boolean;
  readonly source: string;
  /** Candidate keys for verifying the signature of a file without a manifest. */
  readonly keys: KnownKeyOptions;
}

/**
 * Opens the release to send.
 *
 * @throws OtaError FILE_NOT_FOUND, ARTIFACT_CHANGED, key errors, and errors of {@link chooseBuild}
 */
export async function openReleaseToSend(
  question: ReleaseOptions,
  settings: ProjectSettings,
  io: Io,
): Promise<ReleaseToSend> {
  const { file, filesystem, environment, source } = question;
  const kind = filesystem ? 'filesystem' : 'sketch';
  const path =
    file === undefined ? await chooseBuild({ kind, source, environment }, settings, io) : resolve(io.cwd, file);
  const packed = await openPackedRelease(path);
  if (packed === undefined) return openBareFile(path, question, settings, io);
  const { manifest, manifestPath, readArtifact } = packed;
  return {
    path: manifestPath,
    release: await withProjectKey(manifest, settings, io),
    manifest,
    kind: filesystem ? 'filesystem' : manifest.image.kind,
    imageSha256: manifest.image.sha256,
    sketchMd5s: manifest.image.sketchMd5s,
    readArtifact,
  };
}

/** Opens a file that no manifest lists. */
async function openBareFile(
  path: string,
  { filesystem, keys }: ReleaseOptions,
  settings: ProjectSettings,
  io: Io,
): Promise<ReleaseToSend> {
  const bytes = await readNamedFile(path, 'image, artifact or manifest');
  if (bytes.length === 0) throw new OtaError('IMAGE_EMPTY', { path });
  const knownKeys = [...(await namedKeys(keys, io)), ...(await projectKeys(settings, io))];
  const kind = filesystem ? 'filesystem' : undefined;
  const { release, build, firmware } = await prepareBytes(path, bytes, { kind: kind, knownKeys }, io);
  const sizeBytes = firmware.sketch?.sketchSizeBytes;
  return {
    path,
    // A project with a key sends only signed updates, even if no manifest lists the key.
    release: await withProjectKey(release, settings, io),
    manifest: build,
    kind: filesystem || firmware.kind === 'filesystem' ? 'filesystem' : 'sketch',
    imageSha256: createHash('sha256').update(bytes).digest('hex'),
    sketchMd5s: sizeBytes === undefined ? [] : [...sketchMd5s(firmware.content, sizeBytes)],
    readArtifact: async () => bytes,
  };
}
