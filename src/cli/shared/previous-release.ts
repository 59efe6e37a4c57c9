import { resolve } from 'node:path';
import { type Manifest, readManifest } from '../../core/model/manifest.ts';
import { readNamedFile } from '../../files/read.ts';
import type { ProjectSettings } from '../../project/config/settings.ts';
import type { Io } from '../io.ts';
import type { Report } from '../output/report.ts';

/** Build whose last release is needed. */
interface WantedRelease {
  /** Manifest of the last release, from the command line. */
  readonly file: string | undefined;
  /** Project from the command line. Undefined for the project of the configuration, which may have been renamed since the last release. */
  readonly project: string | undefined;
  readonly board: string | undefined;
}

/**
 * Returns the last release, with which a new build is compared: the named manifest, or the last release that this folder has published or
 * uploaded for the board.
 *
 * @throws OtaError FILE_NOT_FOUND, MANIFEST_INVALID, FORMAT_TOO_NEW, FILE_UNREADABLE
 */
export async function previousRelease(
  { file, project, board }: WantedRelease,
  { folder, config }: ProjectSettings,
  io: Io,
  report: Report,
): Promise<Manifest | undefined> {
  if (file !== undefined) {
    const path = resolve(io.cwd, file);
    return readManifest(await readNamedFile(path, 'manifest'), path);
  }
  const { readReleased } = await import('../../project/record/released-builds.ts');
  const stored = await readReleased(folder);
  if (stored.state === 'damaged') {
    report.warn(
      `${report.path(stored.path)} is not used (${stored.why}), so the build is not compared with the last release; pass its manifest with --previous FILE`,
    );
  }
  if (stored.state !== 'known') return undefined;
  const { releases } = stored.value;
  const ofName = releases.filter((release) => release.project === (project ?? config.project));
  const candidates = ofName.length > 0 || project !== undefined ? ofName : releases;
  const ofBoard = candidates.find((release) => release.board === board);
  return ofBoard ?? candidates.find((release) => release.board === undefined || board === undefined);
}

/**
 * Stores a release, with which `pack` compares the next build. Only sketches are stored, because they determine what devices accept.
 * Nothing is stored in a folder without a configuration. A failure is a warning: the release has already been sent.
 */
export async function rememberRelease(
  release: Manifest,
  { folder, configPath }: Pick<ProjectSettings, 'folder' | 'configPath'>,
  report: Report,
  { mayLower = true }: { readonly mayLower?: boolean } = {},
): Promise<void> {
  if (release.image.kind !== 'sketch' || configPath === undefined) return;
  const { storeReleased } = await import('../../project/record/released-builds.ts');
  try {
    await storeReleased(folder, release, mayLower);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    report.warn(`pack cannot compare the next build with this release: ${why}`);
  }
}
