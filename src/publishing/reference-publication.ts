import { basename } from 'node:path';
import { type Firmware, readFirmware } from '../core/firmware/firmware.ts';
import type { RsaPublicKey } from '../core/keys/public-key.ts';
import { formatManifest } from '../core/model/manifest.ts';
import { type PackRequest, packImage } from '../core/pack/pack-image.ts';
import { rules } from '../core/preflight/registry.ts';
import { OtaError } from '../errors/ota-error.ts';
import { readNamedFile } from '../files/read.ts';
import { settleNames, type WantedNames } from './names.ts';
import type { Publication } from './publication.ts';

/** A file of the past, and what may be known of it besides its bytes. */
export interface KnownBuild {
  readonly path: string;
  /** The linked program that it was made from: it proves whether the devices verify. */
  readonly elf: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  readonly board: string | undefined;
}

/**
 * A build that devices in the field still run, from its .bin (signed or compressed or neither), as something to be recognized. No rule of
 * preflight stands in its way: what was sent once is out there, however bad it was. That its devices verify is never taken from a
 * declaration, which is about the builds of today: a device that is believed to verify, and does not, may be sent what destroys it.
 *
 * @returns the publication, and what should be said of it
 * @throws OtaError FILE_NOT_FOUND, IMAGE_EMPTY, IMAGE_NOT_FIRMWARE, USAGE
 */
export async function referencePublication(
  build: KnownBuild,
  names: WantedNames,
): Promise<{ publication: Publication; warnings: readonly string[] }> {
  const { path } = build;
  const firmware = readFirmware(await readNamedFile(path, 'build to make known'));
  if (firmware.sizeBytes === 0) throw new OtaError('IMAGE_EMPTY', { path });
  if (firmware.kind !== 'sketch') {
    const reason = 'a device is recognized by its sketch, and this is none';
    throw new OtaError('IMAGE_NOT_FIRMWARE', { path, reason });
  }
  const packed = await describe(build, firmware);
  const { manifest, files } = packed.build;
  const publication: Publication = {
    path,
    ...settleNames(manifest, names, path),
    purpose: 'reference',
    manifest,
    manifestText: formatManifest(manifest),
    allow: [],
    readArtifact: async (file) => files.get(file) ?? firmware.content,
  };
  return { publication, warnings: packed.warnings };
}

async function describe({ path, elf, board }: KnownBuild, firmware: Firmware): ReturnType<typeof packImage> {
  const request: PackRequest = {
    path,
    file: basename(path).replace(/(\.gz)?(\.signed|\.legacy_sig)?$/, ''),
    image: firmware.content,
    elf,
    kind: 'sketch',
    publicKey: ownKey(firmware),
    compression: 'none',
    legacy: false,
    signCompressedFilesystem: false,
    enforcementDeclared: false,
    allow: rules.map(({ id }) => id),
    project: undefined,
    version: undefined,
    board,
  };
  try {
    return await packImage(request);
  } catch (error) {
    if (!(error instanceof OtaError && error.code === 'ENFORCEMENT_VERIFIER_MISSING')) throw error;
    const { build } = await packImage({ ...request, publicKey: undefined });
    return { build, warnings: [`${error.message}; that is recorded`] };
  }
}

/** The key that its devices verify with, if they do: the one in it. Among several it is the one that signed the file. */
function ownKey({ embeddedKeys, trailer }: Firmware): RsaPublicKey | undefined {
  if (embeddedKeys.length === 1) return embeddedKeys[0]?.key;
  const signer = trailer?.verifiedBy?.fingerprint;
  return embeddedKeys.find(({ key }) => key.fingerprint === signer)?.key;
}
