import { randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, open, readdir, readlink, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import type { Manifest } from '../../core/model/manifest.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readOptionalFile } from '../../files/read.ts';
import { writeAtomically, writeError } from '../../files/write.ts';
import { whatOf } from '../publication.ts';
import type { Places } from './layout.ts';
import { manifestNameOf, releasesIn, requireOwnNames } from './published-release.ts';
import { switchLink } from './switch-link.ts';

const stateName = '.channel.json';

const releaseName = v.strictObject({ version: v.string(), what: v.string() });
const stateSchema = v.strictObject({
  /** Current releases of the channel, one for each image. */
  current: v.array(releaseName),
  /** All releases that the channel has ever served. */
  promoted: v.array(releaseName),
});
type ReleaseName = v.InferOutput<typeof releaseName>;
export type ChannelState = v.InferOutput<typeof stateSchema>;

/** Age after which a temporary folder counts as abandoned. A running process removes its own folder earlier. */
const abandonedMs = 60 * 60_000;

/**
 * Reads the state of a channel. Without a state file, no release has been promoted yet.
 *
 * @throws OtaError FILE_UNREADABLE
 */
export async function readChannel({ channel }: Places): Promise<ChannelState> {
  const path = join(channel, stateName);
  const text = await readOptionalFile(path);
  if (text === undefined) return { current: [], promoted: [] };
  const state = v.safeParse(stateSchema, parse(Buffer.from(text).toString('utf8')));
  if (!state.success) throw new OtaError('FILE_UNREADABLE', { path, reason: 'it was not written by ota-hooks' });
  return state.output;
}

export function includes(names: readonly ReleaseName[], { version, what }: ReleaseName): boolean {
  return names.some((name) => name.version === version && name.what === what);
}

/**
 * Promotes a release on a channel, replacing the previous release of the same image. Readers see either the complete old state or the
 * complete new state.
 *
 * @param manifest manifest of the release, which is in its version folder
 * @param before previous state of the channel; its releases of other images are kept
 * @throws OtaError FILE_UNWRITABLE, RELEASES_CLASH
 */
export async function promote(
  places: Places,
  name: ReleaseName,
  manifest: Manifest,
  before: ChannelState,
): Promise<void> {
  const kept = before.current.filter(({ what }) => what !== name.what);
  const next: ChannelState = { current: [...kept, name], promoted: [...before.promoted, name] };
  const folder = join(places.channels, `${basename(places.channel).slice(1)}-${randomBytes(4).toString('hex')}`);
  const previous = await readlink(places.channel).catch(() => undefined);
  try {
    await mkdir(folder, { recursive: true });
    const others = await manifestsOf(places.channel, kept);
    requireOwnNames(manifest, others);
    for (const other of others) await place(other, places.channel, folder);
    await place(manifest, places.version, folder);
    await writeAtomically(join(folder, stateName), `${JSON.stringify(next, null, 2)}\n`);
    await syncFolder(folder);
    await switchLink(places.channel, join(basename(places.channels), basename(folder)));
    await syncFolder(places.project);
  } catch (cause) {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw cause instanceof OtaError ? cause : writeError(places.channel, cause);
  }
  // The previous state is kept, because a client may be about to open one of its files.
  await removeAbandoned(places, [basename(folder), previous === undefined ? '' : basename(previous)]);
}

async function manifestsOf(channel: string, kept: readonly ReleaseName[]): Promise<Manifest[]> {
  return (await releasesIn(channel)).filter((manifest) => kept.some(({ what }) => what === whatOf(manifest)));
}

/**
 * Adds the files of a release to a folder. The files never change, so hard links are used. If the file system does not support links, the
 * files are copied.
 */
async function place(manifest: Manifest, from: string, to: string): Promise<void> {
  for (const file of [...manifest.artifacts.map((artifact) => artifact.file), manifestNameOf(manifest)]) {
    await link(join(from, file), join(to, file)).catch(() => copyFile(join(from, file), join(to, file)));
  }
}

/** Removes leftovers of killed processes, and earlier states of the channel. */
async function removeAbandoned({ channel, channels }: Places, wanted: readonly string[]): Promise<void> {
  const prefix = `${basename(channel).slice(1)}-`;
  for (const name of await readdir(channels).catch(() => [])) {
    if (wanted.includes(name) || !name.startsWith(prefix) || name.length !== prefix.length + 8) continue;
    const path = join(channels, name);
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > abandonedMs) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Syncs a folder, so that a power loss does not leave an empty folder behind. Not every system supports this operation. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
