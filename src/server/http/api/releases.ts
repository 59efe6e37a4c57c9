import type { ReleaseImageInfo, ReleaseInfo } from '../../../api/release-info.ts';
import { didYouMean } from '../../../core/model/nearest-names.ts';
import { mayPromoteOn } from '../../auth/permissions.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { promoteReleases } from '../../services/releases/promote-releases.ts';
import { publishRelease, verifyRelease } from '../../services/releases/publish-release.ts';
import { setReleaseNotes } from '../../services/releases/release-notes.ts';
import { yankReleases } from '../../services/releases/yank-releases.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import { releaseOperations } from './operations/releases.ts';
import { releaseImage, releaseInfo } from './release-info.ts';
import { type Route, route } from './routes.ts';

export function releaseRoutes(parts: ServerParts): readonly Route[] {
  const { store, log } = parts;

  const publish = route(releaseOperations.publish, async ({ context, params: { project }, token, body }) => {
    const request = await body();
    const question = { project, request, by: token.id, publisher: token };
    const verified = await verifyRelease(parts, question);
    const { outcome, release, warnings } = await publishRelease(parts, question, verified);
    log.info({ project, version: request.version, outcome, by: token.id }, 'Publication handled');
    if (outcome === 'published') context.status(201);
    return { outcome, release: await showImage(release), warnings };
  });

  const list = route(releaseOperations.list, async ({ params, query: { before, limit, ...filter } }) => {
    const project = requireProject(parts, params.project);
    const currentReleases = await store.catalog.currentReleases(project);
    const { versions, next } = await store.catalog.versions(project, { before, limit }, filter);
    const names = versions.map(({ version }) => version);
    const notes = await store.catalog.notes(project, names);
    const releases = versions.map((release) => ({
      ...releaseInfo({ ...release, project }, currentReleases),
      notes: notes.get(release.version),
    }));
    return { releases, next };
  });

  const yank = route(releaseOperations.yank, async ({ params, token, body }) => {
    const project = requireProject(parts, params.project);
    const request = await body();
    const images = await yankReleases(parts, { ...request, project, by: token.id });
    return { release: await show({ project, version: request.version, images }) };
  });

  const setNotes = route(releaseOperations.notes, async ({ params, token, body }) => {
    const project = requireProject(parts, params.project);
    const { version, notes } = await body();
    await setReleaseNotes(parts, { project, version, notes, by: token.id });
    return { version, notes };
  });

  const showChannel = route(releaseOperations.channel, async ({ params, token }) => {
    const project = requireProject(parts, params.project);
    const { channel } = params;
    const onlyEnrolled = parts.catalog.view(project)?.project.access === 'closed';
    const devices = await store.devices.countOn(project, channel, { onlyEnrolled });
    return { channel, devices, mayPromote: mayPromoteOn(token, channel) };
  });

  const promote = route(releaseOperations.promote, async ({ params, token: publisher, body }) => {
    const project = requireProject(parts, params.project);
    const { channel } = params;
    const request = await body();
    const images = await promoteReleases(parts, { ...request, project, channel, by: publisher.id, publisher });
    return { release: await show({ project, version: request.version, images }) };
  });

  async function show(release: Parameters<typeof releaseInfo>[0]): Promise<ReleaseInfo> {
    return releaseInfo(release, await store.catalog.currentReleases(release.project));
  }

  async function showImage(image: ReleaseRecord): Promise<ReleaseImageInfo> {
    return releaseImage(image, await store.catalog.currentReleases(image.project));
  }

  return [publish, list, yank, setNotes, showChannel, promote];
}

/**
 * Returns the project name if the project exists.
 *
 * @throws DomainError not-found
 */
export function requireProject({ catalog }: ServerParts, name: string): string {
  if (catalog.view(name) !== undefined) return name;
  // The token may read all of these projects: a request with a token for another project has already been rejected.
  const near = didYouMean(
    name,
    catalog.views().map(({ project }) => project.name),
  );
  throw new DomainError(
    'not-found',
    `project ${name} not found`,
    `${near}Check the name. The first publication with an admin token creates a project.`,
  );
}
