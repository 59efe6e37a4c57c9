import type { Releases } from '../../services/devices/decide.ts';
import type { ProjectView } from '../../services/releases/project-view.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import type { CatalogStore } from '../../storage/store.ts';

/** Releases that contain a file with the requested name. */
interface NamedFile {
  /** Releases that a device may be sent; preflight and the rollout then decide about the device. */
  readonly releases: Releases;
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
export async function namedFile(
  catalog: CatalogStore,
  view: ProjectView,
  { from, file }: { readonly from: string; readonly file: string },
): Promise<NamedFile | undefined> {
  if (from.startsWith('@')) return ofChannel(view, from.slice(1), file);
  const [release] = onlyWith(file, await view.withVersion(from));
  if (release === undefined) return undefined;
  const releases = guarded(view, release, (await catalog.lastPromotedAt(release.id)) !== undefined);
  return { releases, plain: releases.current[0] };
}

function ofChannel(view: ProjectView, channel: string, file: string): NamedFile | undefined {
  const releases = withFile(view, channel, file);
  if (releases === undefined || releases.current.length + (releases.rollout?.releases.length ?? 0) === 0)
    return undefined;
  return { releases, plain: releases.current[0] };
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
