import type { ProjectInfo } from '../../../api/admin-info.ts';
import { defaultHistory, defaultStalledAfterMs } from '../../../api/release-admin.ts';
import type { ServerParts } from '../../parts.ts';
import { keyHolders } from '../../services/devices/key-holders.ts';
import { changeProject } from '../../services/releases/change-project.ts';
import { newProject } from '../../services/releases/project.ts';
import type { HistoryLimits, ProjectRecord } from '../../storage/records.ts';
import { projectOperations } from './operations/projects.ts';
import { requireProject } from './releases.ts';
import { type Route, route } from './routes.ts';

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

  const keys = route(projectOperations.keys, ({ params }) => keyHolders(store, requireProject(parts, params.project)));

  const save = route(projectOperations.save, async ({ params: { project }, token, body }) => {
    const request = await body();
    return show(await changeProject(parts, { project, request, by: token.id, onlyProject: token.project }));
  });

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
    approval = 'none',
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
      approval,
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

  return [list, showOne, keys, save];
}

function historyInfo({ checkInDays, attemptDays, auditDays }: HistoryLimits): NonNullable<ProjectInfo['history']> {
  return { checkInDays: checkInDays ?? null, attemptDays: attemptDays ?? null, auditDays: auditDays ?? null };
}
