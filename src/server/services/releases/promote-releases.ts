import type { Actor, ReleaseRecord, TokenRecord } from '../../storage/records.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import type { DomainEvent } from '../events/domain-event.ts';
import type { ServiceParts } from '../parts.ts';
import { requirePromotable } from './publisher-limits.ts';
import { type ReleaseSelection, releaseNames, selectReleases } from './yank-releases.ts';

type Parts = Pick<ServiceParts, 'store' | 'catalog' | 'rollouts' | 'publishing' | 'events'>;

interface Promotion extends ReleaseSelection {
  readonly project: string;
  readonly channel: string;
  readonly by: Actor;
  readonly publisher: Pick<TokenRecord, 'roles' | 'channels'>;
}

/**
 * Makes the selected releases the current releases of a channel.
 *
 * @throws DomainError not-found; role-missing; conflict if a rollout is in progress on the channel
 */
export async function promoteReleases(parts: Parts, promotion: Promotion): Promise<readonly ReleaseRecord[]> {
  const chosen = await selectReleases(parts.store, promotion.project, promotion);
  await parts.publishing.acquire('all', () => promote(parts, promotion, chosen));
  return chosen;
}

async function promote(
  { store, catalog, rollouts, events }: Parts,
  { project, channel, by, publisher }: Promotion,
  chosen: readonly ReleaseRecord[],
): Promise<void> {
  await requirePromotable(store, publisher, { project, channel, chosen });
  rollouts.requireFreeChannel(project, channel);
  const ids = chosen.map(({ id }) => id);
  const at = Date.now();
  const eventOf = (releases: readonly ReleaseRecord[]): DomainEvent => {
    return { type: 'release.promoted', project, actor: by, at, channel, releases: releaseNames(releases) };
  };
  const promoted = await store.catalog.promote(project, channel, ids, (releases) => auditEntryOf(eventOf(releases)));
  await catalog.refresh(project);
  if (promoted.length > 0) events.emit(eventOf(promoted));
  await rollouts.superseded(project, channel, by);
}
