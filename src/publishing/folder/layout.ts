import { join } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';

/**
 * The tree that any web server can serve, with the paths that the update server of this tool has below /files:
 *
 *     PROJECT/VERSION/FILE      an artifact; what is there never changes
 *     PROJECT/@CHANNEL/FILE     the same of what the channel offers now: a link into PROJECT/.channels, so that all of it changes at once
 *
 * with the manifests beside the artifacts.
 */
export interface Places {
  readonly project: string;
  readonly version: string;
  /** The link. */
  readonly channel: string;
  /** Of all states that links may point to. */
  readonly channels: string;
}

/** @throws OtaError USAGE for a version that cannot be a folder's name */
export function placesOf(root: string, names: { project: string; version: string; channel: string }): Places {
  if (!/^[A-Za-z0-9_][A-Za-z0-9._+~-]*$/.test(names.version)) {
    throw new OtaError('USAGE', {
      message: `The version ${names.version} cannot be the name of a folder`,
      hint: 'For a folder, letters, digits, dots, dashes, underscores, plus signs and tildes make a version.',
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
