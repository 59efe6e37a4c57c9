import { type CoreHabits, coreHabits } from '../core/device-model/cores.ts';
import { type BuildFacts, signatureVerifier } from '../core/device-model/virtual-device.ts';
import type { EmbeddedKey } from '../core/firmware/embedded-keys.ts';
import { type RsaPublicKey, readPublicKey } from '../core/keys/public-key.ts';
import type { SignatureFormat } from '../core/model/artifact.ts';
import type { Manifest } from '../core/model/manifest.ts';
import { recallFirmware } from './firmware-memory.ts';

/** How the sketch that a virtual device runs was built. */
export interface Build {
  /** The core's release, such as `3.1.2`. */
  readonly core: string;
  readonly habits: CoreHabits;
  /** The key whose signatures its Updater wants; undefined: it takes anything. */
  readonly publicKey: RsaPublicKey | undefined;
  /** Of the signatures; what the core understands, unless it is told otherwise. */
  readonly format: SignatureFormat | undefined;
  readonly fsStart: number;
  readonly fsEnd: number;
  readonly atomicFs: boolean;
  readonly flashMap: boolean;
  /** What the sketch says of itself in `x-ESP8266-version`; empty: nothing. */
  readonly version: string;
}

/** What a caller may say of a build; what it leaves out is concluded from the image, or stays as it is. */
export interface BuildOptions {
  readonly core?: string | undefined;
  /** `none`: the image's Updater checks no signatures, whatever keys are in the image. */
  readonly publicKey?: RsaPublicKey | 'none' | undefined;
  readonly format?: SignatureFormat | undefined;
  readonly layout?: { readonly fsStart: number; readonly fsEnd: number } | undefined;
  readonly atomicFs?: boolean | undefined;
  readonly flashMap?: boolean | undefined;
  readonly version?: string | undefined;
}

/** The facts that the models of the Updater and of eboot want. */
export function factsOf({ habits, publicKey, format, fsStart, fsEnd, atomicFs, flashMap }: Build): BuildFacts {
  const understood = habits.signing === 'none' ? 'current' : habits.signing;
  const verifier = publicKey === undefined ? undefined : signatureVerifier(publicKey, format ?? understood);
  return { habits, verifier, fsStart, fsEnd, atomicFs, flashMap };
}

/**
 * How a new image was built, as far as it can be known. In this order:
 *
 * 1. what the caller says;
 * 2. a manifest one of whose sketch MD5s names the image: its core, layout and version, and its key if the image holds it;
 * 3. the image itself: its core by the git hash, and as key the present one if it is embedded, else the first one that is embedded as
 *    Updater_Signing.h does it.
 *
 * An embedded key proves nothing on a real device (the Updater in core.a may have been built without it), but it is what a sound build
 * looks like; to rehearse the unsound one, say `publicKey: 'none'`. An image without any key never checks.
 *
 * Layout and ATOMIC_FS_UPDATE cannot be read off an image; without the caller's or the manifest's word they stay as they are.
 */
export function buildAfterUpdate(
  present: Build,
  image: Uint8Array,
  sketchMd5: string,
  options: BuildOptions,
  manifests: readonly Manifest[],
): Build {
  const manifest = manifests.find((one) => one.image.sketchMd5s.some(({ md5 }) => md5 === sketchMd5));
  const { embeddedKeys, sketch } = recallFirmware(image);
  const core = options.core ?? manifest?.image.core ?? sketch?.core.release ?? present.core;
  const layout = options.layout ?? manifest?.image.layout ?? present;
  return {
    core,
    habits: coreHabits(core) ?? present.habits,
    publicKey: keyAfterUpdate(present, options, manifest, embeddedKeys),
    format: options.format ?? (core === present.core ? present.format : undefined),
    fsStart: layout.fsStart,
    fsEnd: layout.fsEnd,
    atomicFs: options.atomicFs ?? present.atomicFs,
    flashMap: options.flashMap ?? present.flashMap,
    version: options.version ?? manifest?.version ?? '',
  };
}

function keyAfterUpdate(
  present: Build,
  options: BuildOptions,
  manifest: Manifest | undefined,
  embedded: readonly EmbeddedKey[],
): RsaPublicKey | undefined {
  if (options.publicKey !== undefined) return options.publicKey === 'none' ? undefined : options.publicKey;
  // Updater_Signing.h holds PEM text of this kind; certificates and DER keys are for other purposes.
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
