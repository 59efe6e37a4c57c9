import { type CoreCapabilities, coreCapabilities } from '../core/device-model/cores.ts';
import { modelGuard } from '../core/device-model/guard.ts';
import { type BuildFacts, signatureVerifier } from '../core/device-model/model-device.ts';
import type { EmbeddedKey } from '../core/firmware/embedded-keys.ts';
import { findGuard, type Guard } from '../core/keys/guard-record.ts';
import { type RsaPublicKey, readPublicKey } from '../core/keys/public-key.ts';
import type { SignatureFormat } from '../core/model/artifact.ts';
import type { Manifest } from '../core/model/manifest.ts';
import { factsOfBuild, recognize } from '../core/preflight/running.ts';
import { readFirmwareCached } from './firmware-cache.ts';

/** Build properties of the sketch that a virtual device runs. */
export interface SimulatedBuild {
  /** Core release, such as `3.1.2`. */
  readonly core: string;
  readonly capabilities: CoreCapabilities;
  /** Key that the Updater verifies signatures with. Undefined: signatures are not checked. */
  readonly publicKey: RsaPublicKey | undefined;
  /** Active guard of the sketch. The guard replaces the check with the key. */
  readonly guard: Guard | undefined;
  /** Signature format. Undefined: the format of the core. */
  readonly format: SignatureFormat | undefined;
  readonly fsStart: number;
  readonly fsEnd: number;
  readonly atomicFs: boolean;
  readonly flashMap: boolean;
  /** Version that the sketch sends in the header `x-ESP8266-version`. Empty: the header is not sent. */
  readonly version: string;
}

/** Build properties set by a caller. An undefined property is derived from the image or keeps its current value. */
export interface SimulatedBuildOptions {
  readonly core?: string | undefined;
  /** Key that the Updater verifies signatures with. `none`: signatures are not checked, even if the image contains keys. */
  readonly publicKey?: RsaPublicKey | 'none' | undefined;
  readonly format?: SignatureFormat | undefined;
  readonly layout?: { readonly fsStart: number; readonly fsEnd: number } | undefined;
  readonly atomicFs?: boolean | undefined;
  readonly flashMap?: boolean | undefined;
  readonly version?: string | undefined;
}

/** Converts build properties to the facts that the models of the Updater and eboot use. */
export function factsOf({
  capabilities,
  publicKey,
  guard,
  format,
  fsStart,
  fsEnd,
  atomicFs,
  flashMap,
}: SimulatedBuild): BuildFacts {
  const understood = capabilities.signing === 'none' ? 'current' : capabilities.signing;
  const verifier = publicKey === undefined ? undefined : signatureVerifier(publicKey, format ?? understood);
  return { capabilities, verifier, guard: guard && modelGuard(guard), fsStart, fsEnd, atomicFs, flashMap };
}

/**
 * Determines how a new image was built. Sources, in order of priority:
 *
 * 1. the options;
 * 2. the manifest that lists a sketch MD5 of the image: core, layout and version, and the key if the image contains it;
 * 3. the image: the core from the git hash; the current key if the image contains it, otherwise the first key in the format of
 *    Updater_Signing.h.
 *
 * On a real device an embedded key proves nothing, because the Updater in core.a may have been built without the key. In correct builds,
 * the Updater uses the embedded key, or the guard ({@link activeGuard}). Use `publicKey: 'none'` to simulate a build without signature
 * checks. An image without a key checks no signatures.
 *
 * Layout, ATOMIC_FS_UPDATE and FLASH_MAP_SUPPORT cannot be read from an image. Their current values are kept unless the options set them.
 * A manifest can also set the layout.
 */
export function buildAfterUpdate(
  present: SimulatedBuild,
  image: Uint8Array,
  sketchMd5: string,
  options: SimulatedBuildOptions,
  manifests: readonly Manifest[],
): SimulatedBuild {
  const manifest = recognize(sketchMd5, manifests)?.manifest;
  const { embeddedKeys, sketch } = readFirmwareCached(image);
  const guard = activeGuard(image, options.publicKey, manifest);
  const core = options.core ?? manifest?.image.core ?? sketch?.core.release ?? present.core;
  const layout = options.layout ?? manifest?.image.layout ?? present;
  return {
    core,
    capabilities: coreCapabilities(core) ?? present.capabilities,
    publicKey: keyAfterUpdate(present, options, manifest, embeddedKeys),
    guard,
    format: options.format ?? (core === present.core ? present.format : undefined),
    fsStart: layout.fsStart,
    fsEnd: layout.fsEnd,
    atomicFs: options.atomicFs ?? present.atomicFs,
    flashMap: options.flashMap ?? present.flashMap,
    version: options.version ?? manifest?.version ?? '',
  };
}

/**
 * Returns the guard that checks updates on a device with this image. The record of a guard proves nothing: a sketch that installs its own
 * verifier, or an Updater that was built without the guard, leaves the record in the image, and a sketch may contain a different image as
 * data. A manifest of the image decides, as for real devices. Without one, the record counts unless a different key was chosen.
 *
 * @param publicKey key that a caller chose for the Updater
 * @param manifest manifest that lists the image
 */
export function activeGuard(
  image: Uint8Array,
  publicKey: SimulatedBuildOptions['publicKey'],
  manifest: Manifest | undefined,
): Guard | undefined {
  if (publicKey === 'none') return undefined;
  const guard = findGuard(image);
  if (guard === undefined || (manifest !== undefined && factsOfBuild(manifest).guard === undefined)) return undefined;
  const isOther =
    publicKey !== undefined && guard.keys.every(({ fingerprint }) => fingerprint !== publicKey.fingerprint);
  return isOther ? undefined : guard;
}

/** Returns the key of the Updater in a new image, as {@link buildAfterUpdate} determines it. */
export function keyAfterUpdate(
  present: Pick<SimulatedBuild, 'publicKey'>,
  options: SimulatedBuildOptions,
  manifest: Manifest | undefined,
  embedded: readonly EmbeddedKey[],
): RsaPublicKey | undefined {
  if (options.publicKey !== undefined) return options.publicKey === 'none' ? undefined : options.publicKey;
  // Updater_Signing.h contains public keys in PEM format. Certificates and DER keys have other purposes.
  const keys = embedded
    .filter(({ encoding, container }) => encoding === 'pem' && container === 'public-key')
    .map(({ key }) => key);
  const expected = manifest === undefined ? present.publicKey : manifestKey(manifest);
  const found = keys.find(({ fingerprint }) => fingerprint === expected?.fingerprint);
  return found ?? (manifest === undefined ? keys[0] : undefined);
}

function manifestKey({ signing }: Manifest): RsaPublicKey | undefined {
  return signing.publicKey === undefined ? undefined : readPublicKey(signing.publicKey.pem, 'the key of the manifest');
}
