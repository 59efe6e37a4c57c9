import type * as v from 'valibot';
import type { ProjectInfo } from '../../../api/admin-info.ts';
import { privateKeyRule } from '../../../api/release.ts';
import { defaultHistory, defaultStalledAfterMs, type projectRequestSchema } from '../../../api/release-admin.ts';
import { readPublicKey } from '../../../core/keys/public-key.ts';
import { isRuleId } from '../../../core/preflight/registry.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { hashCredential } from '../../auth/credentials.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { newProject, saveProject } from '../../services/releases/project.ts';
import { withLatestView } from '../../services/releases/with-latest-view.ts';
import type { Credential, HistoryLimits, ProjectKey, ProjectRecord } from '../../storage/records.ts';
import { projectOperations } from './operations/projects.ts';
import { requireProject } from './releases.ts';
import { type Route, route } from './routes.ts';

type Request = v.InferOutput<typeof projectRequestSchema>;

export function projectRoutes(parts: ServerParts): readonly Route[] {
  const { store, catalog } = parts;

  const list = route(projectOperations.list, async ({ token: { project } }) => {
    const views = catalog.views().filter((view) => project === undefined || view.project.name === project);
    return { projects: await Promise.all(views.map((view) => show(view.project))) };
  });

  const showOne = route(projectOperations.show, ({ params }) => {
    const name = requireProject(parts, params.project);
    return show(catalog.view(name)?.project ?? newProject(name, []));
  });

  const save = route(projectOperations.save, async ({ params: { project: name }, token, body }) => {
    const request = await body();
    const changed = await withLatestView(catalog, name, async (view) => {
      const project = await withChanges(view?.project ?? newProject(name, []), request);
      requireFreeAliases(project, token.project);
      await saveProject(parts, view, project, token.id);
      return project;
    });
    return show(changed);
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
    stalledAfterMs = defaultStalledAfterMs,
    publisherRules,
    history = defaultHistory,
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
      stalledAfterMs,
      publisherRules: [...(publisherRules ?? [])],
      history: historyInfo(history),
      devices: await store.devices.count(name),
      channels: currentReleases.map(({ channel, release }) => ({
        channel,
        kind: release.kind,
        board: release.board === '' ? undefined : release.board,
        version: release.version,
      })),
    };
  }

  return [list, showOne, save];
}

async function withChanges(project: ProjectRecord, request: Request): Promise<ProjectRecord> {
  const {
    publicKeys,
    credential,
    access,
    aliases,
    confirmWithinMs,
    mostSends,
    stalledAfterMs,
    publisherRules,
    history,
  } = request;
  return {
    ...project,
    access: access ?? project.access,
    aliases: aliases ?? project.aliases,
    confirmWithinMs: confirmWithinMs ?? project.confirmWithinMs,
    mostSends: mostSends ?? project.mostSends,
    stalledAfterMs: stalledAfterMs ?? project.stalledAfterMs,
    publisherRules: publisherRules?.map(knownRule) ?? project.publisherRules,
    history: history === undefined ? project.history : changedHistory(project.history ?? defaultHistory, history),
    keys: publicKeys?.map(readKey) ?? project.keys,
    credential: await withPassword(project.credential, credential),
  };
}

function historyInfo({ checkInDays, attemptDays, auditDays }: HistoryLimits): NonNullable<ProjectInfo['history']> {
  return { checkInDays: checkInDays ?? null, attemptDays: attemptDays ?? null, auditDays: auditDays ?? null };
}

function changedHistory(before: HistoryLimits, request: NonNullable<Request['history']>): HistoryLimits {
  const limit = (name: keyof HistoryLimits) =>
    request[name] === undefined ? before[name] : (request[name] ?? undefined);
  return { checkInDays: limit('checkInDays'), attemptDays: limit('attemptDays'), auditDays: limit('auditDays') };
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
