import type { RolloutState } from '../../../api/rollout.ts';
import type { Manifest } from '../../../core/model/manifest.ts';
import { extentOf, mayPromoteOn, permits, permitsAlways } from '../../auth/permissions.ts';
import type { ProjectRecord, ReleaseRecord, TokenRecord } from '../../storage/records.ts';
import type { CatalogStore, Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';

type Publisher = Pick<TokenRecord, 'roles' | 'channels'>;

/**
 * Requires that a token may promote new releases to a channel.
 *
 * @throws DomainError channel-not-permitted
 */
export function requireChannel(publisher: Publisher, channel: string): void {
  if (mayPromoteOn(publisher, channel)) return;
  const own = publisher.channels.length === 0 ? 'it has no channels' : `its channels: ${publisher.channels.join(', ')}`;
  throw new DomainError(
    'channel-not-permitted',
    `the token may not promote releases to ${channel} (${own})`,
    `Publish a draft, or use a token that was created with --channel ${channel} or --role operate.`,
  );
}

/**
 * Requires that a token may publish despite these rules.
 *
 * @throws DomainError role-missing
 */
export function requireAllowedRules(publisher: Publisher, project: ProjectRecord, rules: readonly string[]): void {
  const extent = extentOf(publisher, 'overrule');
  const opened = extent === 'opened-rules' ? (project.publisherRules ?? []) : [];
  const refused = extent === 'always' ? [] : rules.filter((rule) => !opened.includes(rule));
  if (refused.length === 0) return;
  const options = refused.map((rule) => `--publisher-rule ${rule}`).join(' ');
  throw new DomainError(
    'role-missing',
    `the token may not publish despite ${refused.join(', ')}`,
    `Publish with an admin token, or let an admin run \`ota-hooks server projects set ${project.name} ${options}\`.`,
  );
}

/**
 * Requires that a token may publish reference builds. Their board, layout and enforcement count as facts about the devices that run them.
 *
 * @throws DomainError role-missing
 */
export function requireReference(publisher: Publisher): void {
  if (permits(publisher, 'reference')) return;
  throw new DomainError(
    'role-missing',
    'the token may not publish reference builds: they determine which updates running devices receive',
    'Publish the reference build with an admin token.',
  );
}

interface NewImage {
  readonly project: string;
  readonly version: string;
  readonly manifest: Manifest;
}

/**
 * Rejects a sketch image that the project already has under a different version or board. The signature covers only the bytes, so an old
 * image under a new version would be a downgrade without the signing key. A filesystem image is accepted while a channel serves it, because
 * it often stays the same across versions and boards.
 *
 * @throws DomainError image-known
 */
export async function requireNewImage({ catalog }: Store, publisher: Publisher, image: NewImage): Promise<void> {
  if (permits(publisher, 'republish')) return;
  const { project, version, manifest } = image;
  const board = manifest.board ?? '';
  const same = await catalog.withSameBytes(project, manifest);
  const others = same.filter(
    (other) => other.purpose !== 'serve' || other.version !== version || other.board !== board,
  );
  const [known] = others;
  if (known === undefined) return;
  if (known.kind === 'filesystem' && (await isStillServed(catalog, project, board, same))) return;
  const isOtherVersion = known.version !== version;
  throw new DomainError(
    'image-known',
    `this ${known.kind} image is already published as ${project} ${releaseName(known)}`,
    isOtherVersion
      ? `Build a new image for ${version}, promote ${known.version} instead, or publish with an admin token.`
      : 'If several boards use this image, publish it once without a board, or publish it with an admin token.',
  );
}

function releaseName({ version, board, purpose }: ReleaseRecord): string {
  const name = board === '' ? version : `${version} for ${board}`;
  return purpose === 'reference' ? `${name} (reference build)` : name;
}

/**
 * Returns whether a channel serves these bytes now. If a release for the board with these bytes was served or yanked, only releases for the
 * board count.
 */
async function isStillServed(
  catalog: CatalogStore,
  project: string,
  board: string,
  same: readonly ReleaseRecord[],
): Promise<boolean> {
  const past: ReleaseRecord[] = [];
  for (const release of same) {
    if (release.yanked !== undefined || (await catalog.lastPromotedAt(release.id)) !== undefined) past.push(release);
  }
  const own = past.filter((release) => release.board === board);
  const current = (await catalog.currentReleases(project)).map(({ release }) => release.id);
  return (own.length > 0 ? own : past).some(({ id }) => current.includes(id));
}

/** Releases that a token promotes to a channel. */
interface Promotion {
  readonly project: string;
  readonly channel: string;
  readonly chosen: readonly ReleaseRecord[];
}

/**
 * Requires that a token may promote these releases to a channel. Promoting bytes that the channel has served before rolls devices back, and
 * promoting a release whose rollout was stopped overrules an operator, so neither is part of publishing.
 *
 * @throws DomainError channel-not-permitted, role-missing, image-known
 */
export async function requirePromotable(store: Store, publisher: Publisher, promotion: Promotion): Promise<void> {
  requireChannel(publisher, promotion.channel);
  await requireNotStopped(store, publisher, promotion);
  if (permitsAlways(publisher, 'promote-again')) return;
  for (const release of promotion.chosen) {
    await requireStillNewImage(store, release);
    await requireNotServedBefore(store, publisher, { ...promotion, release });
  }
}

/**
 * Requires that other versions with the same bytes were never served or yanked, or that a channel serves these bytes now. The check when the
 * draft was published does not suffice: since then, the other versions may have been served, replaced or yanked.
 *
 * @throws DomainError image-known
 */
async function requireStillNewImage({ catalog }: Store, release: ReleaseRecord): Promise<void> {
  const { project, version, board, manifest } = release;
  const same = await catalog.withSameBytes(project, manifest);
  for (const other of same) {
    if (other.version === version && other.yanked === undefined) continue;
    if (other.yanked === undefined && (await catalog.lastPromotedAt(other.id)) === undefined) continue;
    if (await isStillServed(catalog, project, board, same)) return;
    const past = other.yanked === undefined ? 'which no channel serves now' : 'which was yanked';
    throw new DomainError(
      'image-known',
      `the ${release.kind} image of ${version} is the image of ${project} ${releaseName(other)}, ${past}`,
      `Build a new image for a new version, or promote ${version} with a token that has the role operate.`,
    );
  }
}

/**
 * Requires that a channel has not served the bytes of a release before, or serves them now.
 *
 * @throws DomainError role-missing
 */
export async function requireNotServedBefore(
  { catalog }: Store,
  publisher: Publisher,
  {
    project,
    channel,
    release,
  }: Omit<Promotion, 'chosen'> & { readonly release: Pick<ReleaseRecord, 'version' | 'manifest'> },
): Promise<void> {
  if (permitsAlways(publisher, 'promote-again')) return;
  const same = (await catalog.withSameBytes(project, release.manifest)).map(({ id }) => id);
  const current = (await catalog.currentReleases(project)).filter((entry) => entry.channel === channel);
  if (current.some(({ release: { id } }) => same.includes(id))) return;
  const before = await catalog.promotedBefore(project, channel, Number.MAX_SAFE_INTEGER);
  const again = before.find(({ id }) => same.includes(id));
  if (again === undefined) return;
  const what =
    again.version === release.version ? again.version : `${again.version} with the image of ${release.version}`;
  throw new DomainError(
    'role-missing',
    `${channel} has served ${project} ${what} before, and the token may promote only new releases`,
    'Use a token with the role operate to roll a channel back.',
  );
}

/**
 * Requires that no rollout of these releases was stopped on any channel, unless the release was promoted since then or the token may
 * promote releases again. Only operators can promote a release after its rollout was stopped.
 *
 * @throws DomainError role-missing
 */
export async function requireNotStopped(
  { catalog, rollouts }: Store,
  publisher: Publisher,
  { project, chosen }: Pick<Promotion, 'project' | 'chosen'>,
): Promise<void> {
  if (permitsAlways(publisher, 'promote-again')) return;
  const stopped = (await rollouts.ofProject(project, Number.MAX_SAFE_INTEGER)).filter(
    ({ state }) => state in stopWords,
  );
  for (const { version, channel, state, releaseIds, startedAt, endedAt = startedAt } of stopped) {
    for (const { id } of chosen) {
      if (!releaseIds.includes(id) || ((await catalog.lastPromotedAt(id)) ?? 0) > endedAt) continue;
      throw new DomainError(
        'role-missing',
        `the rollout of ${project} ${version} on ${channel} was ${stopWords[state]}, and the token may not overrule this`,
        'Use a token with the role operate to promote the release, or publish a new version.',
      );
    }
  }
}

/** States in which a rollout was stopped, and their text in errors. */
const stopWords: Readonly<Partial<Record<RolloutState, string>>> = {
  aborted: 'aborted',
  'rolled-back': 'rolled back',
};
