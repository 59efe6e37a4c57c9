import { stat } from 'node:fs/promises';
import type { ProjectTrust } from '../../core/model/secret-policy.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { isBelow, realPathOf } from '../../files/real-path.ts';
import { requireFolder } from '../destination.ts';
import { type Publication, type Published, type Publisher, whatOf } from '../publication.ts';
import { includes, promote, readChannel } from './channel.ts';
import { placesOf } from './layout.ts';
import { writeRelease } from './published-release.ts';

/** Returns a publisher for a folder that a web server serves. */
export function folderPublisher(root: string, namedBy: ProjectTrust | undefined): Publisher {
  return { publish: (publication) => publishToFolder(publication, root, namedBy) };
}

/**
 * Publishes to a folder.
 *
 * @throws OtaError FILE_NOT_FOUND, SECRET_UNTRUSTED, FOLDER_MISSING, USAGE, VERSION_TAKEN, RELEASES_CLASH, FILE_UNWRITABLE, ARTIFACT_CHANGED
 */
async function publishToFolder(
  publication: Publication,
  root: string,
  namedBy: ProjectTrust | undefined,
): Promise<Published> {
  if (publication.purpose === 'reference') {
    throw new OtaError('SERVER_REQUIRED', {
      option: '--reference',
      reason: 'a folder cannot recognize devices',
      hint: 'Pass the URL of an update server with --to.',
    });
  }
  const { manifest, version, project, channel } = publication;
  if (channel === undefined) {
    throw new OtaError('SERVER_REQUIRED', {
      option: '--draft',
      reason: 'a folder has no rollouts, so the draft would never be served',
      hint: 'Pass the URL of an update server with --to, or replace --draft with --channel NAME.',
    });
  }
  const isThere = await stat(root).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isThere) throw new OtaError('FILE_NOT_FOUND', { path: root, what: 'folder to publish to' });

  const places = placesOf(root, { project, version, channel });
  const outside = [places.version, places.channels].filter((folder) => !isBelow(realPathOf(folder), root));
  if (namedBy !== undefined) for (const folder of outside) requireFolder(folder, namedBy);
  const name = { version, what: whatOf(manifest) };
  const written = await writeRelease(places.version, publication);
  const state = await readChannel(places);
  // Publishing an earlier build again does not promote it, because this could roll back a fleet.
  if (includes(state.promoted, name)) {
    return { outcome: 'unchanged', current: includes(state.current, name), warnings: [] };
  }
  await promote(places, name, manifest, state);
  return { outcome: written === 'written' ? 'published' : 'promoted', current: true, warnings: [] };
}
