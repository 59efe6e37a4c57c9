import type { ImageKind } from '../../../core/model/artifact.ts';
import type { Actor, ReleaseName, ReleaseRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import type { DomainEvent } from '../events/domain-event.ts';
import type { ServiceParts } from '../parts.ts';

/** Selects releases by version. The kind and the board are optional. */
export interface ReleaseSelection {
  readonly version: string;
  readonly kind?: ImageKind | undefined;
  readonly board?: string | undefined;
}

/**
 * Returns the selected releases.
 *
 * @throws DomainError not-found
 */
export async function selectReleases(
  { catalog }: Store,
  project: string,
  { version, kind, board }: ReleaseSelection,
): Promise<readonly ReleaseRecord[]> {
  const chosen = (await catalog.withVersion(project, version)).filter(
    (release) => (kind === undefined || release.kind === kind) && (board === undefined || release.board === board),
  );
  if (chosen.length > 0) return chosen;
  throw new DomainError(
    'not-found',
    `${project} has no matching release of version ${version}`,
    'Check the version, kind and board. Reference builds and yanked releases cannot be selected.',
  );
}

/**
 * Makes releases unavailable: the server does not send them in response to later update checks.
 *
 * @throws DomainError not-found
 */
export async function yankReleases(
  { store, catalog, rollouts, events }: Pick<ServiceParts, 'store' | 'catalog' | 'rollouts' | 'events'>,
  { project, reason, by, ...selection }: ReleaseSelection & { project: string; reason?: string | undefined; by: Actor },
): Promise<readonly ReleaseRecord[]> {
  const yanked = reason ?? 'no reason';
  const chosen = await selectReleases(store, project, selection);
  const ids = chosen.map(({ id }) => id);
  const at = Date.now();
  const eventOf = (releases: readonly ReleaseRecord[]): DomainEvent => {
    return { type: 'release.yanked', project, actor: by, at, reason: yanked, releases: releaseNames(releases) };
  };
  const fresh = await store.catalog.yank(project, ids, yanked, (releases) => auditEntryOf(eventOf(releases)));
  await catalog.refresh(project);
  if (fresh.length > 0) events.emit(eventOf(fresh));
  await rollouts.yanked(project, ids, yanked, by);
  return chosen.map((release) => ({ ...release, yanked }));
}

/** Returns the names of releases, without the manifests. */
export function releaseNames(releases: readonly ReleaseRecord[]): readonly ReleaseName[] {
  return releases.map(({ version, kind, board }) => ({ version, kind, board }));
}
