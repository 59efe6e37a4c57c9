import type { RolloutInfo } from '../../../api/rollout-info.ts';
import type { ServerParts } from '../../parts.ts';
import { requireAllowedRules } from '../../services/releases/publisher-limits.ts';
import { listMembers } from '../../services/rollouts/member-lists.ts';
import { unknownRollout } from '../../services/rollouts/unknown-rollout.ts';
import { type ActorNames, actorNames } from '../../services/tokens.ts';
import { rolloutOperations } from './operations/rollouts.ts';
import { requireProject } from './releases.ts';
import { type Route, route } from './routes.ts';

export function rolloutRoutes(parts: ServerParts): readonly Route[] {
  const { rollouts, clock } = parts;
  const named = async (rollout: RolloutInfo) => withNames(rollout, await actorNames(parts.store));
  return [
    route(rolloutOperations.list, async ({ params, query }) => {
      const found = await rollouts.list(requireProject(parts, params.project), query);
      const names = await actorNames(parts.store);
      return { rollouts: found.map((rollout) => withoutAddresses(withNames(rollout, names))) };
    }),

    route(rolloutOperations.start, async ({ params, token, body }) => {
      const project = requireProject(parts, params.project);
      const request = await body();
      const view = parts.catalog.view(project);
      if (view !== undefined) requireAllowedRules(token, view.project, request.allow ?? []);
      return named(await rollouts.start({ project, request, by: token.id, now: clock.now() }));
    }),

    route(rolloutOperations.show, async ({ params }) => {
      const found = await rollouts.show(requireProject(parts, params.project), params.rolloutId);
      if (found !== undefined) return named(found);
      throw unknownRollout(params.rolloutId);
    }),

    route(rolloutOperations.devices, ({ params, query }) =>
      listMembers(parts, requireProject(parts, params.project), params.rolloutId, query),
    ),

    route(rolloutOperations.act, async ({ params, token, body }) => {
      const project = requireProject(parts, params.project);
      return named(await rollouts.act(project, params.rolloutId, params.action, await body(), token.id));
    }),
  ];
}

/** Lists are exported and passed on, so they contain no addresses. */
function withoutAddresses({ unproven, ...rollout }: RolloutInfo): RolloutInfo {
  return { ...rollout, unproven: unproven && { ...unproven, most: [] } };
}

/** Adds the names of tokens, for people. */
function withNames(rollout: RolloutInfo, names: ActorNames): RolloutInfo {
  return {
    ...rollout,
    startedByName: names.get(rollout.startedBy),
    history: rollout.history.map((event) => ({ ...event, byName: names.get(event.by) })),
  };
}
