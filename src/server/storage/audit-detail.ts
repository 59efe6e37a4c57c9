import type { DeviceRecord, ProjectRecord, ReleaseName, TokenRecord } from './records.ts';
import type { NewRelease } from './store.ts';

/** Detail of an audit entry; without secrets and their hashes. */
type Detail = Readonly<Record<string, unknown>>;

/** Returns the settings of a project; keys by fingerprint. */
export function projectDetail({
  access,
  keys,
  aliases,
  credential,
  confirmWithinMs,
  mostSends,
}: ProjectRecord): Detail {
  const fingerprints = keys.map(({ fingerprint }) => fingerprint);
  return { access, keys: fingerprints, aliases, user: credential?.user, confirmWithinMs, mostSends };
}

export function publicationDetail({ release, channel }: NewRelease): Detail {
  const { version, kind, board, purpose, manifest } = release;
  return { version, kind, board, purpose, channel, image: manifest.image.sha256 };
}

export function promotionDetail(channel: string, releases: readonly ReleaseName[]): Detail {
  return { channel, releases: releases.map(nameOf) };
}

export function yankDetail(reason: string, releases: readonly ReleaseName[]): Detail {
  return { reason, releases: releases.map(nameOf) };
}

/** Returns the fields of a device that people change. */
export function deviceDetail({ mac, credential, ...record }: DeviceRecord): Detail {
  const { enrolled, name, board, channel, group, pin, atomicFs } = record;
  return { mac, enrolled, name, board, channel, group, pin, atomicFs, user: credential?.user };
}

export function tokenDetail({ id, role, name }: TokenRecord): Detail {
  return { id, role, name };
}

function nameOf({ version, kind, board }: ReleaseName) {
  return { version, kind, board };
}
