import { Hono } from 'hono';
import type * as v from 'valibot';
import type { ProjectInfo } from '../../../api/admin-info.ts';
import { privateKeyRule, resourceName } from '../../../api/release.ts';
import { projectRequestSchema } from '../../../api/release-admin.ts';
import { readPublicKey } from '../../../core/keys/public-key.ts';
import { isRuleId } from '../../../core/preflight/registry.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { hashCredential } from '../../auth/credentials.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { newProject, saveProject } from '../../services/releases/project.ts';
import { withLatestView } from '../../services/releases/with-latest-view.ts';
import type { Credential, ProjectKey, ProjectRecord } from '../../storage/records.ts';
import { requireProject } from './releases.ts';
import { checked, readBody, requireAction, type Session } from './session.ts';

type Request = v.InferOutput<typeof projectRequestSchema>;

export function projectRoutes(parts: ServerParts): Hono<Session> {
  const { store, catalog } = parts;
  const routes = new Hono<Session>();

  routes.get('/projects', requireAction(parts, 'view', { anyProject: true }), async (context) => {
    const { project } = context.get('token');
    const views = catalog.views().filter((view) => project === undefined || view.project.name === project);
    return context.json({ projects: await Promise.all(views.map((view) => show(view.project))) });
  });

  routes.get('/projects/:project', requireAction(parts, 'view'), async (context) => {
    const name = requireProject(parts, context.req.param('project'));
    return context.json(await show(catalog.view(name)?.project ?? newProject(name, [])));
  });

  routes.put('/projects/:project', requireAction(parts, 'projects'), async (context) => {
    const name = checked(resourceName, context.req.param('project'));
    const request = await readBody(context, projectRequestSchema);
    const changed = await withLatestView(catalog, name, async (view) => {
      const project = await withChanges(view?.project ?? newProject(name, []), request);
      requireFreeAliases(project, context.get('token').project);
      await saveProject(parts, view, project, context.get('token').id);
      return project;
    });
    return context.json(await show(changed));
  });

  /** Projects may share an alias. A token for one project may not add one, because an alias that is shared serves fewer devices. */
  function requireFreeAliases({ name, aliases }: ProjectRecord, only: string | undefined): void {
    if (only === undefined) return;
    for (const { path } of aliases) {
      const shared = catalog.aliases(path);
      if (shared.every(({ project }) => project === name) || shared.some(({ project }) => project === name)) continue;
      throw new DomainError(
        'conflict',
        `${path} is already an alias of another project`,
        'Share the alias with a token for all projects.',
      );
    }
  }

  async function show({
    name,
    access,
    keys,
    aliases,
    credential,
    confirmWithinMs,
    mostSends,
    publisherRules,
  }: ProjectRecord): Promise<ProjectInfo> {
    const currentReleases = await store.catalog.currentReleases(name);
    return {
      name,
      access,
      keys: keys.map(({ fingerprint }) => fingerprint),
      aliases,
      user: credential?.user,
      confirmWithinMs,
      mostSends,
      publisherRules: [...(publisherRules ?? [])],
      devices: await store.devices.count(name),
      channels: currentReleases.map(({ channel, release }) => ({
        channel,
        kind: release.kind,
        board: release.board === '' ? undefined : release.board,
        version: release.version,
      })),
    };
  }

  return routes;
}

async function withChanges(project: ProjectRecord, request: Request): Promise<ProjectRecord> {
  const { publicKeys, credential, access, aliases, confirmWithinMs, mostSends, publisherRules } = request;
  return {
    ...project,
    access: access ?? project.access,
    aliases: aliases ?? project.aliases,
    confirmWithinMs: confirmWithinMs ?? project.confirmWithinMs,
    mostSends: mostSends ?? project.mostSends,
    publisherRules: publisherRules?.map(knownRule) ?? project.publisherRules,
    keys: publicKeys?.map(readKey) ?? project.keys,
    credential: await withPassword(project.credential, credential),
  };
}

function knownRule(rule: string): string {
  if (isRuleId(rule) || rule === privateKeyRule) return rule;
  throw new DomainError('invalid', `unknown rule ${rule}`, 'Use a rule from docs/never-brick.md.');
}

function readKey(pem: string): ProjectKey {
  try {
    const key = readPublicKey(pem, 'the key');
    return { fingerprint: key.fingerprint, pem: key.pem };
  } catch (error) {
    if (!(error instanceof OtaError)) throw error;
    throw new DomainError(error.code === 'KEY_IS_PRIVATE' ? 'private-key' : 'invalid', error.message, error.hint);
  }
}

/** Returns the credential to store: undefined keeps the current credential, and null removes it. */
export async function withPassword(
  before: Credential | undefined,
  request: { user: string; password: string } | null | undefined,
): Promise<Credential | undefined> {
  if (request === undefined) return before;
  return request === null ? undefined : hashCredential(request.user, request.password);
}
