import { type KeyHolders, keyHoldersSchema } from '../../../api/key-holders.ts';
import { factsOfBuild } from '../../../core/preflight/running.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { KeyEntry } from '../../../project/config/types.ts';
import type { Io } from '../../io.ts';
import type { OutputOptions, Report } from '../../output/report.ts';
import { type ServerCommandOptions, segment, serverClient } from '../server/connection.ts';

/** Devices that a project is known to have: those of the server, or those that run the last releases of this folder. */
export interface KnownDevices {
  readonly groups: readonly {
    readonly board?: string | undefined;
    readonly keys: readonly string[];
    readonly devices?: number;
  }[];
  readonly hops: KeyHolders['hops'];
  /** Number of devices whose keys are unknown. */
  readonly unknown: number;
}

/** Options of a command that looks at the devices of a project. */
export interface KeyHolderOptions extends OutputOptions {
  readonly server?: string | undefined;
  readonly project?: string | undefined;
  readonly tokenEnv?: string | undefined;
  readonly ca?: string | undefined;
}

/** Asks the server which keys the devices of a project hold. @throws OtaError of the connection */
export function fetchKeyHolders(project: string, options: ServerCommandOptions, io: Io): Promise<KeyHolders> {
  return serverClient(options, io).request('GET', `/projects/${segment(project)}/keys`, keyHoldersSchema);
}

/**
 * Returns the devices that the server knows, or without a server, groups for the last releases that this folder has published or uploaded.
 *
 * @throws OtaError FILE_UNREADABLE, and errors of the connection
 */
export async function knownDevices(
  options: KeyHolderOptions,
  { folder, config }: ProjectSettings,
  io: Io,
  report: Report,
): Promise<KnownDevices> {
  const server = options.server ?? (io.env['OTA_SERVER'] || undefined);
  const project = options.project ?? config.project;
  if (server !== undefined && project !== undefined) {
    try {
      return await fetchKeyHolders(project, { ...options, server }, io);
    } catch (error) {
      if (options.project !== undefined || !isNotFound(error)) throw error;
    }
  }
  const { readReleased } = await import('../../../project/record/released-builds.ts');
  const stored = await readReleased(folder);
  if (stored.state === 'damaged') {
    report.warn(`${report.path(stored.path)} is not used (${stored.why}), so the keys of devices are not checked`);
  }
  if (stored.state !== 'known') return nothing;
  const releases = stored.value.releases.filter((release) => project === undefined || release.project === project);
  const groups = releases.flatMap((release) => {
    const keys = factsOfBuild(release).guard?.keys ?? release.signing.publicKey?.fingerprint;
    return keys === undefined ? [] : [{ board: release.board, keys: [keys].flat() }];
  });
  return { ...nothing, groups };
}

/** Returns true if the server does not know the project of the configuration: it was never published there. */
function isNotFound(error: unknown): boolean {
  return error instanceof OtaError && error.code === 'SERVER_REJECTED' && Object(error.fields).status === 404;
}

const nothing: KnownDevices = { groups: [], hops: [], unknown: 0 };

/**
 * Requires that all devices reach the signing key, or the key that is activated, directly or through released hops. Otherwise, they
 * would need two hops, of which the project no longer shows the first.
 *
 * @throws OtaError HOP_MISSING
 */
export function requireHops(keys: readonly KeyEntry[], name: string, { groups, hops }: KnownDevices): void {
  const signing = keys.find(({ role }) => role === 'signing');
  const next = keys.find((entry) => entry.name === name)?.fingerprint ?? '';
  if (signing === undefined) return;
  const without = groups.filter((group) => {
    const reached = reachedKeys(group, hops);
    return !reached.has(signing.fingerprint) && !reached.has(next);
  });
  const [first] = without;
  if (first === undefined) return;
  const held = keys.find(({ fingerprint }) => first.keys.includes(fingerprint));
  throw new OtaError('HOP_MISSING', {
    signing: signing.name,
    held: held?.name ?? `${first.keys[0]?.slice(0, 16)}…`,
    devices: countOf(without),
    name,
  });
}

/** @throws OtaError KEY_IN_USE if devices hold the key, but not the signing key */
export function requireUnused(keys: readonly KeyEntry[], name: string, { groups }: KnownDevices): void {
  const signing = keys.find(({ role }) => role === 'signing');
  const retired = keys.find((entry) => entry.name === name)?.fingerprint ?? '';
  const holding = groups.filter((group) => {
    return group.keys.includes(retired) && (signing === undefined || !group.keys.includes(signing.fingerprint));
  });
  if (holding.length === 0) return;
  throw new OtaError('KEY_IN_USE', { name, signing: signing?.name ?? '', devices: countOf(holding) });
}

/** Returns the keys that a device holds or gets through hops. */
function reachedKeys({ board, keys }: KnownDevices['groups'][number], hops: KnownDevices['hops']): ReadonlySet<string> {
  const reached = new Set(keys);
  let before = 0;
  while (reached.size > before) {
    before = reached.size;
    for (const hop of hops) {
      const isForBoard = hop.board === undefined || board === undefined || hop.board === board;
      if (isForBoard && reached.has(hop.from)) for (const key of hop.to) reached.add(key);
    }
  }
  return reached;
}

/** Returns the number of devices; undefined if only releases are known. */
function countOf(groups: KnownDevices['groups']): number | undefined {
  const counts = groups.map(({ devices }) => devices);
  return counts.reduce((sum, count) => (sum === undefined || count === undefined ? undefined : sum + count), 0);
}
