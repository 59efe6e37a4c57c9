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
  const groups = new Map<string, { readonly keys: readonly string[]; devices: number }>();
  const others = { unverified: 0, unknown: 0 };
  for (const { releaseId, devices } of counts) {
    const held = keysHeld(releases.get(releaseId ?? 0));
    if (typeof held === 'string') {
      others[held] += devices;
      continue;
    }
    const group = groups.get(held.join()) ?? { keys: held, devices: 0 };
    group.devices += devices;
    groups.set(held.join(), group);
  }
  return { groups: [...groups.values()].sort((a, b) => b.devices - a.devices), ...others };
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
