import { basename, dirname, join } from 'node:path';
import { layoutInElf, symbolTraces } from '../../core/firmware/elf-layout.ts';
import { proveEnforcement } from '../../core/firmware/elf-proof.ts';
import { type Firmware, readFirmware } from '../../core/firmware/firmware.ts';
import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import { readPublicKey } from '../../core/keys/public-key.ts';
import { artifactSuffixes, manifestSuffix } from '../../core/model/artifact.ts';
import { type Manifest, parseManifest, readManifest } from '../../core/model/manifest.ts';
import { digests } from '../../core/pack/digests.ts';
import { fileRelease } from '../../core/preflight/file-release.ts';
import type { Release } from '../../core/preflight/release.ts';
import { manifestListing } from '../../delivery/present-names.ts';
import { readNamedFile, readOptionalFile } from '../../files/read.ts';
import type { Io } from '../io.ts';
import { readManifestFile } from './device-facts.ts';
import { findElf } from './elf-beside.ts';

/** Input file of preflight checks. */
export interface FileToCheck {
  /** Release with all artifacts of a manifest; for any other file, only that file. */
  readonly release: Release;
  /** Manifest that lists the file, if any. Preflight can suggest a different artifact from this manifest. */
  readonly build: Manifest | undefined;
  /** Bytes of the file; undefined for a manifest. */
  readonly firmware: Firmware | undefined;
}

export interface FileToCheckOptions {
  readonly elf?: string | undefined;
  /** Kind of image, used if it cannot be detected from the contents. */
  readonly kind: 'sketch' | 'filesystem' | undefined;
  readonly knownKeys: readonly RsaPublicKey[];
}

/**
 * Reads a manifest, an image or an artifact for preflight checks. If a manifest beside the file lists exactly these bytes, the project,
 * the board and the proof are read from the manifest.
 *
 * @throws OtaError FILE_NOT_FOUND, MANIFEST_INVALID, FORMAT_TOO_NEW
 */
export async function readFileToCheck(path: string, options: FileToCheckOptions, io: Io): Promise<FileToCheck> {
  if (path.endsWith(manifestSuffix)) {
    return ofManifest(await readManifestFile(path));
  }
  const bytes = await readNamedFile(path, 'image, artifact or manifest');
  if (bytes[0] === openingBrace) return ofManifest(readManifest(bytes, path));
  return prepareBytes(path, bytes, options, io);
}

const openingBrace = 0x7b;

function ofManifest(manifest: Manifest): FileToCheck {
  return { release: manifest, build: manifest, firmware: undefined };
}

/** Prepares an image or an artifact for preflight checks. */
export async function prepareBytes(
  path: string,
  bytes: Uint8Array,
  options: FileToCheckOptions,
  io: Io,
): Promise<FileToCheck & { readonly firmware: Firmware }> {
  const build = await manifestBeside(path, bytes);
  const buildKeys = [build?.signing.publicKey, build?.signing.previousKey].filter((key) => key !== undefined);
  const knownKeys = [...options.knownKeys, ...buildKeys.map(({ pem }) => readPublicKey(pem, path))];
  const firmware = readFirmware(bytes, { knownKeys });
  const elf = (await findElf(path, options.elf, io))?.bytes;
  const own = fileRelease(firmware, {
    file: basename(path),
    kind: options.kind ?? build?.image.kind,
    enforcement: build === undefined ? enforcementIn(elf, firmware) : build.enforcement,
    layout: elf && layoutInElf(elf, firmware),
    symbols: elf && symbolTraces(elf, firmware),
  });
  if (build === undefined) return { release: own, build, firmware };
  const { project, version, board, signing, allowedRules } = build;
  const image = {
    ...own.image,
    layout: own.image.layout ?? build.image.layout,
    symbols: own.image.symbols ?? build.image.symbols,
  };
  return { release: { ...own, image, project, version, board, signing, allowedRules }, build, firmware };
}

/**
 * Returns true if the ELF proves that the sketch verifies signatures. The expected key is the file's signing key, or else the first key
 * in the image.
 */
function enforcementIn(elf: Uint8Array | undefined, firmware: Firmware): Release['enforcement'] {
  const expectedKey = firmware.trailer?.verifiedBy ?? firmware.embeddedKeys[0]?.key;
  if (elf === undefined || expectedKey === undefined) return 'unproven';
  const proof = proveEnforcement({ elf, firmware, expectedKey });
  if (proof.proof === 'elf') return 'elf';
  return proof.reason === 'verifier-missing' ? 'disproved' : 'unproven';
}

/** Returns the manifest beside the file if it lists exactly these bytes. Invalid manifests and manifests for other files are ignored. */
export async function manifestBeside(path: string, bytes: Uint8Array): Promise<Manifest | undefined> {
  const name = basename(path);
  const images = [
    name,
    ...artifactSuffixes.filter((end) => name.endsWith(end)).map((end) => name.slice(0, -end.length)),
  ];
  const { sha256 } = digests(bytes);
  for (const image of images) {
    const text = await readOptionalFile(join(dirname(path), image + manifestSuffix));
    const parsed = text && parseManifest(Buffer.from(text).toString('utf8'));
    if (parsed && 'manifest' in parsed && parsed.manifest.artifacts.some((artifact) => artifact.sha256 === sha256)) {
      return parsed.manifest;
    }
  }
  const listing = await manifestListing(path);
  return listing === undefined ? undefined : readManifestFile(listing);
}
