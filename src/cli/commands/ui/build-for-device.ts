import { basename, dirname } from 'node:path';
import { manifestSuffix } from '../../../core/model/artifact.ts';
import type { ReleaseToSend } from '../../shared/updates/release.ts';

/** Build to send to a device, or the reason why there is none. */
export type BuildForDevice = { readonly build: ReleaseToSend } | { readonly reason: string; readonly fix: string };

/**
 * Selects the build for a device by its board. If no build is for the board, builds without a board are considered, and then all builds:
 * preflight reports the wrong board. Several builds are an error, as in `upload`.
 */
export function buildForDevice(board: string | undefined, builds: readonly ReleaseToSend[]): BuildForDevice {
  if (board === undefined) {
    return {
      reason: 'The entry of the device in the configuration has no board',
      fix: 'Add "board" to the entry: the board that the firmware of the device is built for, such as "d1_mini".',
    };
  }
  const boardOf = ({ manifest }: ReleaseToSend) => manifest?.board;
  const candidates = [
    builds.filter((build) => boardOf(build) === board),
    builds.filter((build) => boardOf(build) === undefined),
    builds,
  ].find(({ length }) => length > 0);
  const [build, ...others] = candidates ?? [];
  if (build === undefined) {
    return { reason: 'The project has no build', fix: 'Build the project: ota-hooks build' };
  }
  if (others.length === 0) return { build };
  return {
    reason: `Several builds fit board ${board}: ${[build, ...others].map(nameOfBuild).join(', ')}`,
    fix: 'Start `ota-hooks ui` with the file to send, or with --environment.',
  };
}

/** Short name of a build: its version, or else its image and the folder that contains the image. */
export function nameOfBuild({ path, manifest }: ReleaseToSend): string {
  const file = basename(path).replace(manifestSuffix, '');
  return manifest?.version ?? `${basename(dirname(path))}/${file}`;
}
