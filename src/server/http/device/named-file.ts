import type { Releases } from '../../services/devices/decide.ts';
import type { ProjectView } from '../../services/releases/catalog.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import type { CatalogStore } from '../../storage/store.ts';
import type { FirmwareRequest } from './firmware-request.ts';

/** Releases that contain a file with the requested name. */
export interface NamedFile extends Pick<FirmwareRequest, 'channel' | 'releases'> {
  /**
   * Release for clients other than ESP8266 updaters. These clients are sent only releases that a channel serves or has served to all
   * devices.
   */
  readonly plain: ReleaseRecord | undefined;
}

/**
 * Finds a file by its name, in the releases on a channel (`@CHANNEL`) or in the releases of a version. The returned releases contain only
 * this artifact. A draft is never sent, and a release in a rollout is sent only to devices in open stages, regardless of the requested file
 * name.
 */
export async function releasesWithFile(
  catalog: CatalogStore,
  view: ProjectView,
  { from, file }: { readonly from: string; readonly file: string },
): Promise<NamedFile | undefined> {
  if (from.startsWith('@')) return ofChannel(view, from.slice(1), file);
  const [release] = onlyWith(file, await catalog.withVersion(view.project.name, from));
  if (release === undefined) return undefined;
  const wasPromoted = (await catalog.lastPromotedAt(release.id)) !== undefined;
  const [plain] = guarded(view, release, wasPromoted).current;
  return { plain, channel: undefined, releases: (current) => guarded(current, release, wasPromoted) };
}

function ofChannel(view: ProjectView, channel: string, file: string): NamedFile | undefined {
  const found = withFile(view, channel, file);
  const candidates = [...(found?.current ?? []), ...(found?.rollout?.releases ?? [])];
  if (candidates.length === 0) return undefined;
  return { plain: found?.current[0], channel, releases: (current) => withFile(current, channel, file) };
}

function withFile({ channels }: ProjectView, channel: string, file: string): Releases | undefined {
  const releases = channels.get(channel);
  if (releases === undefined) return undefined;
  const { rollout } = releases;
  return {
    current: onlyWith(file, releases.current),
    intermediateReleases: [],
    rollout: rollout && { ...rollout, releases: onlyWith(file, rollout.releases) },
  };
}

function guarded({ channels }: ProjectView, release: ReleaseRecord, wasPromoted: boolean): Releases {
  const all = [...channels.values()];
  const isCurrent = all.some(({ current }) => current.some(({ id }) => id === release.id));
  const rollout = all.find((each) => each.rollout?.rollout.releaseIds.includes(release.id))?.rollout;
  if (isCurrent || (wasPromoted && rollout === undefined)) return { current: [release], intermediateReleases: [] };
  return rollout === undefined
    ? nothing
    : { current: [], intermediateReleases: [], rollout: { ...rollout, releases: [release] } };
}

const nothing: Releases = { current: [], intermediateReleases: [] };

function onlyWith(file: string, releases: readonly ReleaseRecord[]): ReleaseRecord[] {
  return releases.flatMap((release) => {
    const artifacts = release.manifest.artifacts.filter((artifact) => artifact.file === file);
    return artifacts.length === 0 ? [] : [{ ...release, manifest: { ...release.manifest, artifacts } }];
  });
}
