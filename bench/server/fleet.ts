import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { rolloutRequestSchema } from '../../src/api/rollout.ts';
import { readPrivateKey } from '../../src/core/keys/private-key.ts';
import type { Artifact, Manifest } from '../../src/core/model/manifest.ts';
import { packImage } from '../../src/core/pack/pack-image.ts';
import { signBuild } from '../../src/core/pack/sign-build.ts';
import { keyFileSigner } from '../../src/core/signing/key-file-signer.ts';
import type { Signer } from '../../src/core/signing/signer.ts';
import { openData, type ServerData } from '../../src/server/compose.ts';
import { newProject } from '../../src/server/services/releases/project.ts';
import { prepareRollout } from '../../src/server/services/rollouts/start.ts';
import type { BlobStore } from '../../src/server/storage/blob-store.ts';
import { sealData } from '../../src/server/storage/data-identity.ts';
import type { NewAuditEntry, Store } from '../../src/server/storage/store.ts';
import { syntheticSketch } from '../../src/simulator/synthetic-sketch.ts';
import { type DeviceWords, macOf } from './device-request.ts';
import type { Storage } from './storage.ts';

/** Audit entry for all data that a benchmark writes. */
export const benchAudit: NewAuditEntry = { at: 0, actor: 'bench', action: 'bench', detail: {} };

/** Data of a server before it starts. */
export interface Fleet {
  readonly devices: number;
  /** Number of releases of the project. The last release is the current release. */
  readonly releases: number;
  /** Approximate size of the current sketch. */
  readonly sizeBytes: number;
  /**
   * A five-stage rollout of the latest release. Only the first stage, with one device, is open; the previous release is current.
   */
  readonly rollout?: boolean;
}

const project = 'door';
const oldVersion = '0.9.0';
/** Device of the first stage of a rollout. */
const canary = 3;

/** A fleet that runs an old build, in a server's data. */
export interface FilledData {
  /** Artifact that a device of the fleet downloads. */
  readonly artifact: Artifact;
  readonly bytes: Uint8Array;
  readonly version: string;
  /** Request facts of the n-th device while it runs the old build or the current release. */
  words(index: number, runs: 'old' | 'offered'): DeviceWords;
}

/**
 * Fills a folder through the store, as publishing and device requests would. Artifacts are signed but not compressed, so that all servers
 * in the benchmark send the same bytes. Attempts never count as failed, because a benchmark requests the same update repeatedly.
 */
export async function fillData(storage: Storage, fleet: Fleet): Promise<FilledData> {
  const opened = await openData(storage.options, 'bench');
  const { store } = opened;
  try {
    // Records and artifacts without a seal would look like the rest of a lost server.
    await sealData(opened);
    const signer = newSigner();
    const record = newProject(project, [{ fingerprint: signer.publicKey.fingerprint, pem: signer.publicKey.pem }]);
    await store.catalog.saveProject({ ...record, mostSends: 1e9 }, benchAudit);
    const old = await publish(opened, signer, { version: oldVersion, seed: 1, sizeBytes: fleet.sizeBytes - 4096 });
    let last = old;
    let before = old;
    for (let count = 1; count <= fleet.releases; count++) {
      // Only the size of the last release matters.
      const sizeBytes = count === fleet.releases ? fleet.sizeBytes : 16_384;
      before = last;
      const channel = fleet.rollout === true && count === fleet.releases ? undefined : 'stable';
      last = await publish(opened, signer, { version: `1.${count}.0`, seed: count + 1, sizeBytes, channel });
    }
    await addDevices(store, fleet.devices > mostSaved ? canary + 1 : fleet.devices);
    if (fleet.rollout === true) await startRollout(store, last.version);
    const artifact = last.manifest.artifacts.find(({ signature }) => signature === 'current');
    if (artifact === undefined) throw new Error('the build has no signed artifact');
    return {
      artifact,
      bytes: last.bytes(artifact),
      version: last.version,
      words: (index, runs) => ({
        mac: macOf(index),
        ...(runs === 'old' ? old : fleet.rollout === true ? before : last).words,
      }),
    };
  } finally {
    await store.close();
    if (fleet.devices > mostSaved) await storage.copyFirstDevice(fleet.devices);
  }
}

interface Made {
  readonly version: string;
  readonly manifest: Manifest;
  readonly words: Omit<DeviceWords, 'mac'>;
  bytes(artifact: Artifact): Uint8Array;
}

interface Recipe {
  readonly version: string;
  readonly seed: number;
  readonly sizeBytes: number;
  readonly channel?: string | undefined;
}

async function startRollout(store: Store, version: string): Promise<void> {
  const stages = [{ canaries: [macOf(canary)] }, { share: 25 }, { share: 50 }, { share: 75 }, { share: 100 }];
  const request = v.parse(rolloutRequestSchema, { version, stages });
  const prepared = await prepareRollout(store, {
    project,
    request,
    by: 'bench',
    now: { wallMs: Date.now(), servedMs: 0 },
  });
  await store.rollouts.create(prepared, () => benchAudit);
}

async function publish(
  { store, blobs }: ServerData,
  signer: Signer,
  { version, seed, sizeBytes, ...recipe }: Recipe,
): Promise<Made> {
  const { publicKey } = signer;
  const packed = await packImage({
    path: 'door.bin',
    file: 'door.bin',
    image: syntheticSketch({ seed, sizeBytes, publicKey }),
    elf: undefined,
    kind: 'sketch',
    publicKey,
    compression: 'none',
    legacy: false,
    signCompressedFilesystem: false,
    enforcementDeclared: true,
    project,
    version,
    board: undefined,
  });
  const { manifest, files } = await signBuild(packed.build, signer, 'a key of the bench');
  for (const artifact of manifest.artifacts) await upload(blobs, artifact, files.get(artifact.file));
  const release = {
    project,
    version,
    kind: 'sketch',
    board: '',
    purpose: 'serve',
    publishedAt: Date.now(),
    manifest,
  } as const;
  const channel = 'channel' in recipe ? recipe.channel : 'stable';
  await store.catalog.publish({ release, channel, isTrusted: true, project: undefined, audit: () => [benchAudit] });
  const { flashMode, flashSizeBytes, sketchMd5s } = manifest.image;
  const md5 = sketchMd5s.find((each) => each.flashMode === flashMode && each.flashSizeBytes === flashSizeBytes)?.md5;
  return {
    version,
    manifest,
    words: { version, sketchMd5: md5 ?? '', sketchSizeBytes: manifest.image.contentBytes },
    bytes: ({ file }) => files.get(file) ?? new Uint8Array(),
  };
}

async function upload(blobs: BlobStore, { sha256 }: Artifact, bytes: Uint8Array | undefined): Promise<void> {
  if (bytes === undefined) throw new Error('the artifact has no bytes');
  const { offset, complete } = await blobs.state(sha256);
  if (complete) return;
  const chunks = (async function* () {
    yield bytes.subarray(offset);
  })();
  const state = await blobs.append(sha256, { offset, totalBytes: bytes.length, chunks });
  if (typeof state === 'string') throw new Error(state);
}

const atOnce = 1000;
/** Number of devices up to which each is saved through the store. */
const mostSaved = 1000;

async function addDevices(store: Store, count: number): Promise<void> {
  const now = Date.now();
  for (let first = 0; first < count; first += atOnce) {
    const batch = Array.from({ length: Math.min(atOnce, count - first) }, (_, index) => macOf(first + index));
    const record = { project, revision: 0, enrolled: true, firstSeenAt: now, decisions: {}, attempts: [] };
    await Promise.all(batch.map((mac) => store.devices.save({ ...record, mac }, { mostDevices: 1e9 })));
  }
}

function newSigner(): Signer {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return keyFileSigner(readPrivateKey(pem, 'a key of the bench'));
}

/** Writes the artifact as a file for the servers that only send a file. */
export async function writeArtifact(path: string, { bytes }: FilledData): Promise<void> {
  await writeFile(path, bytes);
}
