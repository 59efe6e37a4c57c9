import type { KeyHolders } from '../../../api/key-holders.ts';
import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import { factsOfBuild } from '../../../core/preflight/running.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';

/** Counts the devices of a project by the keys that they hold, as their recognized builds show. */
export async function keyHolders(
  { charts, catalog }: Pick<Store, 'charts' | 'catalog'>,
  project: string,
): Promise<KeyHolders> {
  const counts = await charts.byBuild(project);
  const ids = [...new Set(counts.flatMap(({ releaseId }) => (releaseId === undefined ? [] : [releaseId])))];
  const releases = new Map((await catalog.byIds(ids)).map((release) => [release.id, release]));
  const groups = new Map<string, { readonly board?: string; readonly keys: readonly string[]; devices: number }>();
  const others = { unverified: 0, unknown: 0 };
  for (const { releaseId, devices } of counts) {
    const release = releases.get(releaseId ?? 0);
    const held = keysHeld(release);
    if (typeof held === 'string') {
      others[held] += devices;
      continue;
    }
    const place = JSON.stringify([release?.board, held]);
    const group = groups.get(place) ?? { ...boardOf(release), keys: held, devices: 0 };
    group.devices += devices;
    groups.set(place, group);
  }
  const sorted = [...groups.values()].sort((a, b) => b.devices - a.devices);
  return { groups: sorted, hops: await servedHops(catalog, project), ...others };
}

/** Returns the hops that any channel of the project has served. */
async function servedHops(catalog: Store['catalog'], project: string): Promise<KeyHolders['hops']> {
  const current = await catalog.currentReleases(project);
  const channels = [...new Set(current.map(({ channel }) => channel))];
  const served = await Promise.all(channels.map((channel) => catalog.hops(project, channel)));
  const hops = new Map(served.flat().map((hop) => [hop.id, hop]));
  return [...hops.values()].flatMap((hop) => {
    const from = hop.manifest.signing.previousKey?.fingerprint;
    const to = keysHeld(hop);
    return hop.kind !== 'sketch' || from === undefined || typeof to === 'string' ? [] : [{ ...boardOf(hop), from, to }];
  });
}

function boardOf(release: ReleaseRecord | undefined): { readonly board?: string } {
  return release?.board === undefined ? {} : { board: release.board };
}

function keysHeld(release: ReleaseRecord | undefined): readonly string[] | 'unverified' | 'unknown' {
  const facts: DeviceFacts = release === undefined ? {} : factsOfBuild(release.manifest);
  if (facts.signing === undefined) return 'unknown';
  if (facts.signing === 'none') return 'unverified';
  const keys = acceptedKeys(facts);
  return keys.length === 0 ? 'unknown' : [...keys].sort();
}

/** Returns the fingerprints of the keys whose signatures a device accepts. */
export function acceptedKeys({ guard, keyFingerprint }: DeviceFacts): readonly string[] {
  return guard?.keys ?? (keyFingerprint === undefined ? [] : [keyFingerprint]);
}
