import type { LockOutRule } from '../../../api/release.ts';
import type { Actor, ReleaseRecord, TokenRecord } from '../../storage/records.ts';
import { requireApproval } from '../approvals/require-approval.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import type { DomainEvent } from '../events/domain-event.ts';
import type { ServiceParts } from '../parts.ts';
import { requireFreeChannel } from '../rollouts/rollouts.ts';
import { requireNoLockOuts } from './fleet-lock-outs.ts';
import { requireAllowedRules, requirePromotable } from './publisher-limits.ts';
import { withLatestView } from './with-latest-view.ts';
import { type ReleaseSelection, releaseNames, selectReleases } from './yank-releases.ts';

type Parts = Pick<ServiceParts, 'store' | 'catalog' | 'rollouts' | 'events'>;

interface Promotion extends ReleaseSelection {
  readonly project: string;
  readonly channel: string;
  readonly by: Actor;
  /** Second person, who has approved the promotion. */
  readonly approvedBy?: Actor | undefined;
  readonly publisher: Pick<TokenRecord, 'roles' | 'channels'>;
  /** Rules about lock-outs that do not block the promotion. */
  readonly allow?: readonly LockOutRule[] | undefined;
}

/**
 * Makes the selected releases the current releases of a channel.
 *
 * @throws DomainError not-found; role-missing; blocked; conflict if a rollout is in progress on the channel
 */
export async function promoteReleases(parts: Parts, promotion: Promotion): Promise<readonly ReleaseRecord[]> {
  const { store, catalog, rollouts, events } = parts;
  const { project, channel, by, approvedBy, publisher, allow = [] } = promotion;
  const at = Date.now();
  const eventOf = (releases: readonly ReleaseRecord[]): DomainEvent => {
    return { type: 'release.promoted', project, actor: by, at, channel, releases: releaseNames(releases), approvedBy };
  };
  const { chosen, promoted } = await withLatestView(catalog, project, async (view) => {
    const chosen = await selectReleases(store, project, promotion);
    await requirePromotable(store, publisher, { project, channel, chosen });
    requireApproval(view, approvedBy);
    requireFreeChannel(view, channel);
    if (view !== undefined) requireAllowedRules(publisher, view.project, allow);
    await requireNoLockOuts(store, { project, channel, manifests: chosen.map(({ manifest }) => manifest), allow });
    const ids = chosen.map(({ id }) => id);
    const auditOf = (releases: readonly ReleaseRecord[]) => auditEntryOf(eventOf(releases));
    return { chosen, promoted: await store.catalog.promote(project, channel, ids, auditOf, view?.revision ?? 0) };
  });
  await catalog.refresh(project);
  if (promoted.length > 0) events.emit(eventOf(promoted));
  await rollouts.superseded(project, channel, by);
  return chosen;
}
