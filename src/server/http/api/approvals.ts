import type { ApprovalInfo } from '../../../api/approvals.ts';
import type { ServerParts } from '../../parts.ts';
import { approve, decline, requestPromotion, requestRollout } from '../../services/approvals/approvals.ts';
import { type ActorNames, actorNames } from '../../services/tokens.ts';
import type { PendingApproval } from '../../storage/records.ts';
import { approvalOperations } from './operations/approvals.ts';
import { requireProject } from './releases.ts';
import { type Route, route } from './routes.ts';

export function approvalRoutes(parts: ServerParts): readonly Route[] {
  const { store, catalog } = parts;
  return [
    route(approvalOperations.list, async ({ params }) => {
      const { approvals = [] } = catalog.view(requireProject(parts, params.project))?.project ?? {};
      const names = await actorNames(store);
      return { approvals: approvals.map((pending) => approvalInfo(pending, names)) };
    }),

    route(approvalOperations.requestRollout, async ({ params, token, body }) => {
      const project = requireProject(parts, params.project);
      const pending = await requestRollout(parts, { project, request: await body(), by: token });
      return approvalInfo(pending, await actorNames(store));
    }),

    route(approvalOperations.requestPromotion, async ({ params, token, body }) => {
      const project = requireProject(parts, params.project);
      const pending = await requestPromotion(parts, { ...(await body()), project, by: token });
      return approvalInfo(pending, await actorNames(store));
    }),

    route(approvalOperations.approve, async ({ params: { project: name, approvalId: id }, token }) => {
      const project = requireProject(parts, name);
      return { id, decision: 'approved' as const, rollout: await approve(parts, { project, id, by: token }) };
    }),

    route(approvalOperations.decline, async ({ params: { project: name, approvalId: id }, token }) => {
      await decline(parts, { project: requireProject(parts, name), id, by: token });
      return { id, decision: 'declined' as const };
    }),
  ];
}

function approvalInfo(
  { id, version, channel, rollout, parts, allow, by, at }: PendingApproval,
  names: ActorNames,
): ApprovalInfo {
  return {
    id,
    change: rollout === undefined ? 'promotion' : 'rollout',
    version,
    channel,
    requestedAt: new Date(at).toISOString(),
    requestedBy: by,
    requestedByName: names.get(by),
    rollout,
    parts,
    allow,
  };
}
