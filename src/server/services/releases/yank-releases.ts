import type { ReleasePart } from '../../../api/release.ts';
import { didYouMean } from '../../../core/model/nearest-names.ts';
import type { Actor, ReleaseName, ReleaseRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import type { DomainEvent } from '../events/domain-event.ts';
import type { ServiceParts } from '../parts.ts';
import { withLatestView } from './with-latest-view.ts';
import { yankedText } from './yanked-version.ts';

/** Selects the images of a version: those of the listed parts, or all of them. */
export interface ReleaseSelection {
  readonly version: string;
  readonly parts?: readonly ReleasePart[] | undefined;
}

/**
 * Returns the selected images.
 *
 * @throws DomainError not-found if the version or one of the parts has no image that can be selected
 */
export async function selectReleases(
  { catalog }: Pick<Store, 'catalog'>,
  project: string,
  { version, parts = [{}] }: ReleaseSelection,
): Promise<readonly ReleaseRecord[]> {
  const known = await catalog.withVersion(project, version);
  const missing = parts.find((part) => !known.some((release) => includes(part, release)));
  if (missing === undefined) return known.filter((release) => parts.some((part) => includes(part, release)));
  const yanked = yankedText(await catalog.imagesOf(project, version));
  throw new DomainError(
    'not-found',
    yanked === undefined
      ? `${project} ${version} has no ${partText(missing)}`
      : `${project} ${version} was yanked (${yanked})`,
    known.length === 0
      ? 'Check the project and the version. Reference builds and yanked releases cannot be selected.'
      : `${nearBoards(missing, known)}Select images that are not yanked: ${known.map(partText).join(', ')}.`,
  );
}

/** Asks whether a board that no image is for is misspelled. */
function nearBoards({ board }: ReleasePart, known: readonly ReleaseName[]): string {
  const boards = known.map((release) => release.board).filter((name) => name !== '');
  return board === undefined || boards.includes(board) ? '' : didYouMean(board, boards);
}

function includes({ kind, board }: ReleasePart, release: ReleaseName): boolean {
  return (kind === undefined || release.kind === kind) && (board === undefined || release.board === board);
}

/** Describes a part, such as `sketch image for d1_mini`. */
function partText({ kind, board }: ReleasePart): string {
  const image = kind === undefined ? 'image' : `${kind} image`;
  if (board === undefined) return image;
  return board === '' ? `${image} without a board` : `${image} for ${board}`;
}

/**
 * Makes images of a version unavailable in one step: the server does not send them in response to later update checks. An image that is
 * published at the same time is either yanked as well or published after the yank.
 *
 * @throws DomainError not-found, conflict
 */
export async function yankReleases(
  { store, catalog, rollouts, events }: Pick<ServiceParts, 'store' | 'catalog' | 'rollouts' | 'events'>,
  { project, reason, by, ...selection }: ReleaseSelection & { project: string; reason?: string | undefined; by: Actor },
): Promise<readonly ReleaseRecord[]> {
  const yanked = reason ?? 'no reason';
  const at = Date.now();
  const eventOf = (releases: readonly ReleaseRecord[]): DomainEvent => {
    return { type: 'release.yanked', project, actor: by, at, reason: yanked, releases: releaseNames(releases) };
  };
  const { chosen, fresh } = await withLatestView(catalog, project, async (view) => {
    const chosen = await selectReleases(store, project, selection);
    const ids = chosen.map(({ id }) => id);
    const auditOf = (releases: readonly ReleaseRecord[]) => auditEntryOf(eventOf(releases));
    return { chosen, fresh: await store.catalog.yank(project, ids, yanked, auditOf, view?.revision ?? 0) };
  });
  await catalog.refresh(project);
  if (fresh.length > 0) events.emit(eventOf(fresh));
  const ids = chosen.map(({ id }) => id);
  await rollouts.yanked(project, ids, yanked, by);
  return chosen.map((release) => ({ ...release, yanked }));
}

/** Returns the names of releases, without the manifests. */
export function releaseNames(releases: readonly ReleaseRecord[]): readonly ReleaseName[] {
  return releases.map(({ version, kind, board }) => ({ version, kind, board }));
}
