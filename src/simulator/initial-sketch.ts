import { createHash } from 'node:crypto';
import { coreCapabilities } from '../core/device-model/cores.ts';
import { flashModes } from '../core/firmware/flash-header.ts';
import { flashLayoutByName } from '../core/firmware/flash-layout.ts';
import type { RsaPublicKey } from '../core/keys/public-key.ts';
import { nearestRelease, readCoreName } from '../core/model/core-name.ts';
import type { Manifest } from '../core/model/manifest.ts';
import { recognize } from '../core/preflight/running.ts';
import { OtaError } from '../errors/ota-error.ts';
import { activeGuard, keyAfterUpdate, type SimulatedBuild } from './build.ts';
import { readFirmwareCached } from './firmware-cache.ts';
import type { VirtualDeviceOptions } from './options.ts';
import { type SyntheticSketchOptions, syntheticSketch } from './synthetic-sketch.ts';

/** Initial sketch, flash content and build properties of a virtual device. */
export interface InitialState {
  readonly image: Uint8Array;
  readonly sketchSizeBytes: number;
  readonly chipSizeBytes: number;
  readonly build: SimulatedBuild;
}

const defaultChipBytes = 4 * 1024 * 1024;
const defaultCore = '3.1.2';

/**
 * Determines the initial state from the options and the image. The core is read from the image unless an option sets it. Keys in the
 * image are ignored; only the option `publicKey` is used. The guard is read from the image, because its checks have no options
 * ({@link activeGuard}).
 *
 * @throws OtaError CORE_UNKNOWN
 */
export function initialState(options: VirtualDeviceOptions): InitialState {
  const { chipSizeBytes = defaultChipBytes } = options;
  const image = withFlashMode(imageOf(options, chipSizeBytes), options);
  const { sketch } = readFirmwareCached(image);
  const named = options.core ?? sketch?.core.release ?? defaultCore;
  const core = readCoreName(named)?.release ?? named;
  const capabilities = coreCapabilities(core);
  if (capabilities === undefined) throw new OtaError('CORE_UNKNOWN', { core, nearest: nearestRelease(core) });
  const { fsStart, fsEnd } = options.layout ?? defaultLayout(chipSizeBytes, core);
  return {
    image,
    sketchSizeBytes: sketch?.sketchSizeBytes ?? image.length,
    chipSizeBytes,
    build: {
      core,
      capabilities,
      publicKey: options.publicKey === 'none' ? undefined : options.publicKey,
      guard: activeGuard(image, options.publicKey, manifestOf(image, options.manifests ?? [])),
      format: options.format,
      fsStart,
      fsEnd,
      atomicFs: options.atomicFs ?? false,
      flashMap: options.flashMap ?? false,
      version: options.version ?? '',
    },
  };
}

/**
 * Returns the key that the Updater of a device with this image uses, if the build was correct ({@link activeGuard}). Undefined if the image
 * contains no key, or a guard, which has keys of its own.
 */
export function embeddedKeyOf(image: Uint8Array, manifests: readonly Manifest[]): RsaPublicKey | undefined {
  const manifest = manifestOf(image, manifests);
  if (activeGuard(image, undefined, manifest) !== undefined) return undefined;
  return keyAfterUpdate({ publicKey: undefined }, {}, manifest, readFirmwareCached(image).embeddedKeys);
}

function manifestOf(image: Uint8Array, manifests: readonly Manifest[]): Manifest | undefined {
  const sketchSizeBytes = readFirmwareCached(image).sketch?.sketchSizeBytes ?? image.length;
  const sketchMd5 = createHash('md5').update(image.subarray(0, sketchSizeBytes)).digest('hex');
  return recognize(sketchMd5, manifests)?.manifest;
}

function imageOf({ image, core, publicKey }: VirtualDeviceOptions, chipSizeBytes: number): Uint8Array {
  if (image instanceof Uint8Array) return image;
  return cachedSketch({
    flashSizeBytes: chipSizeBytes,
    publicKey: publicKey === 'none' ? undefined : publicKey,
    // The core in the options must match the git hash in the image.
    ...(core === undefined || core === defaultCore ? {} : { coreGitHash: '00000000' }),
    ...image,
  });
}

let lastSketch: { readonly key: string; readonly image: Uint8Array } | undefined;

/** Returns a synthetic sketch. Devices started with the same options share one image. */
function cachedSketch(options: SyntheticSketchOptions): Uint8Array {
  const key = JSON.stringify({ ...options, publicKey: options.publicKey?.fingerprint });
  if (lastSketch?.key !== key) lastSketch = { key, image: syntheticSketch(options) };
  return lastSketch.image;
}

function withFlashMode(image: Uint8Array, { flashMode }: VirtualDeviceOptions): Uint8Array {
  if (flashMode === undefined || image[2] === flashModes.indexOf(flashMode)) return image;
  const changed = image.slice();
  changed[2] = flashModes.indexOf(flashMode);
  return changed;
}

/** Returns the middle layout option of the board menu: a 2 MB filesystem on a 4 MB chip, or a 64 KB filesystem on a 1 MB chip. */
function defaultLayout(chipSizeBytes: number, core: string): { readonly fsStart: number; readonly fsEnd: number } {
  const megabytes = chipSizeBytes / 1024 / 1024;
  const script = { 1: '1m64', 2: '2m1m', 4: '4m2m', 8: '8m6m', 16: '16m14m' }[megabytes];
  const layout = script === undefined ? undefined : flashLayoutByName(script, core);
  if (layout !== undefined) return layout;
  const fsStart = Math.max(0, chipSizeBytes - 20 * 1024);
  return { fsStart, fsEnd: fsStart };
}
