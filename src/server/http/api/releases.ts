import { Hono } from 'hono';
import type { ChannelInfo } from '../../../api/admin-info.ts';
import { channelRequestSchema, releaseRequestSchema, resourceName, yankRequestSchema } from '../../../api/release.ts';
import type { ReleaseInfo, ReleaseResponse } from '../../../api/release-info.ts';
import { mayPromoteOn } from '../../auth/permissions.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { promoteReleases } from '../../services/releases/promote-releases.ts';
import { publishRelease, verifyRelease } from '../../services/releases/publish-release.ts';
import { yankReleases } from '../../services/releases/yank-releases.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import { releaseInfo } from './release-info.ts';
import { checked, numberIn, readBody, requireAction, type Session } from './session.ts';

const mostListed = 1000;

export function releaseRoutes(parts: ServerParts): Hono<Session> {
  const { store, log } = parts;
  const routes = new Hono<Session>();

  routes.post('/projects/:project/releases', requireAction(parts, 'draft'), async (context) => {
    const project = checked(resourceName, context.req.param('project'));
    const request = await readBody(context, releaseRequestSchema);
    const token = context.get('token');
    const question = { project, request, by: token.id, publisher: token };
    const verified = await verifyRelease(parts, question);
    const { outcome, release, warnings } = await publishRelease(parts, question, verified);
    log.info({ project, version: request.version, outcome, by: token.id }, 'Publication handled');
    const response: ReleaseResponse = { outcome, release: await show(release), warnings };
    return context.json(response, outcome === 'published' ? 201 : 200);
  });

  routes.get('/projects/:project/releases', requireAction(parts, 'view'), async (context) => {
    const project = requireProject(parts, context.req.param('project'));
    const currentReleases = await store.catalog.currentReleases(project);
    const limit = Math.max(1, numberIn(context, 'limit', 100, mostListed));
    const before = numberIn(context, 'before', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const found = await store.catalog.releases(project, { before, limit });
    const releases = found.map((release) => releaseInfo(release, currentReleases));
    return context.json({ releases, next: found.length < limit ? undefined : found.at(-1)?.id });
  });

  routes.post('/projects/:project/releases/yank', requireAction(parts, 'yank'), async (context) => {
    const project = requireProject(parts, context.req.param('project'));
    const request = await readBody(context, yankRequestSchema);
    const yanked = await yankReleases(parts, { ...request, project, by: context.get('token').id });
    return context.json({ releases: await Promise.all(yanked.map(show)) });
  });

  routes.get('/projects/:project/channels/:channel', requireAction(parts, 'view'), async (context) => {
    const project = requireProject(parts, context.req.param('project'));
    const channel = checked(resourceName, context.req.param('channel'));
    const onlyEnrolled = parts.catalog.view(project)?.project.access === 'closed';
    const devices = await store.devices.countOn(project, channel, { onlyEnrolled });
    const info: ChannelInfo = { channel, devices, mayPromote: mayPromoteOn(context.get('token'), channel) };
    return context.json(info);
  });

  routes.put('/projects/:project/channels/:channel', requireAction(parts, 'promote'), async (context) => {
    const project = requireProject(parts, context.req.param('project'));
    const channel = checked(resourceName, context.req.param('channel'));
    const request = await readBody(context, channelRequestSchema);
    const publisher = context.get('token');
    const chosen = await promoteReleases(parts, { ...request, project, channel, by: publisher.id, publisher });
    return context.json({ releases: await Promise.all(chosen.map(show)) });
  });

  async function show(release: ReleaseRecord): Promise<ReleaseInfo> {
    return releaseInfo(release, await store.catalog.currentReleases(release.project));
  }

  return routes;
}

/**
 * Returns the project name if the project exists.
 *
 * @throws DomainError not-found
 */
export function requireProject({ catalog }: ServerParts, name: string): string {
  if (catalog.view(name) !== undefined) return name;
  throw new DomainError(
    'not-found',
    `project ${name} not found`,
    'Check the name. The first publication with an admin token creates a project.',
  );
}
