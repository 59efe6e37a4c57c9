import { join } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';

/**
 * Paths in a folder that any web server can serve. The paths match those below /files on the ota-hooks server:
 *
 *     PROJECT/VERSION/FILE      an artifact, which never changes
 *     PROJECT/@CHANNEL/FILE     an artifact of the channel's current release; a link into PROJECT/.channels switches all at once
 *
 * The manifests are beside the artifacts.
 */
export interface Places {
  readonly project: string;
  readonly version: string;
  /** Path of the link that points to the current state of a channel. */
  readonly channel: string;
  /** Folder that contains the states of all channels. */
  readonly channels: string;
}

/**
 * Returns the paths for a release.
 *
 * @throws OtaError USAGE if the version cannot be a folder name
 */
export function placesOf(root: string, names: { project: string; version: string; channel: string }): Places {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._+~-]*$/.test(names.version)) {
    throw new OtaError('OPTION_INVALID', {
      option: 'version',
      value: names.version,
      expected: 'must consist of letters, digits and . - _ + ~, because a folder is named after it',
      hint: 'Run `ota-hooks pack` again with a different --firmware-version, or publish to a server.',
    });
  }
  const project = join(root, names.project);
  return {
    project,
    version: join(project, names.version),
    channel: join(project, `@${names.channel}`),
    channels: join(project, '.channels'),
  };
}
