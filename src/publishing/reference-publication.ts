import { basename } from 'node:path';
import { type Firmware, readFirmware } from '../core/firmware/firmware.ts';
import type { RsaPublicKey } from '../core/keys/public-key.ts';
import { formatManifest } from '../core/model/manifest.ts';
import { type PackRequest, packImage } from '../core/pack/pack-image.ts';
import { rules } from '../core/preflight/registry.ts';
import { OtaError } from '../errors/ota-error.ts';
import { readNamedFile } from '../files/read.ts';
import { resolveNames, type WantedNames } from './names.ts';
import type { Publication } from './publication.ts';

/** Reference build, and facts about the build that cannot be read from its bytes. */
export interface ReferenceBuild {
  readonly path: string;
  /** ELF of the build. The ELF can prove whether devices that run the build verify signatures. */
  readonly elf: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  readonly board: string | undefined;
}

/**
 * Opens a .bin file (signed, compressed or neither) as a reference build. Preflight rules do not block a reference build, because it is
 * never sent. The declaration in the configuration applies only to current builds, so it is not proof that devices with a reference build
 * verify signatures. A device that is incorrectly assumed to verify signatures could be sent an update that bricks it.
 *
 * @returns the publication and its warnings
 * @throws OtaError FILE_NOT_FOUND, IMAGE_EMPTY, IMAGE_NOT_FIRMWARE, USAGE
 */
export async function referencePublication(
  build: ReferenceBuild,
  names: WantedNames,
): Promise<{ publication: Publication; warnings: readonly string[] }> {
  const { path } = build;
  const firmware = readFirmware(await readNamedFile(path, 'reference build'));
  if (firmware.sizeBytes === 0) throw new OtaError('IMAGE_EMPTY', { path });
  if (firmware.kind !== 'sketch') {
    const hint = 'Pass a sketch image with --reference: devices are recognized by their sketch.';
    throw new OtaError('IMAGE_WRONG_KIND', { path, kind: firmware.kind, expected: 'sketch', hint });
  }
  const packed = await describe(build, firmware);
  const { manifest, files } = packed.build;
  const publication: Publication = {
    path,
    ...resolveNames(manifest, names, path),
    purpose: 'reference',
    manifest,
    manifestText: formatManifest(manifest),
    allow: [],
    readArtifact: async (file) => files.get(file) ?? firmware.content,
  };
  return { publication, warnings: packed.warnings };
}

async function describe({ path, elf, board }: ReferenceBuild, firmware: Firmware): ReturnType<typeof packImage> {
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
    return {
      build,
      warnings: [`${error.message}; the reference build is recorded as not verifying updates`],
    };
  }
}

/**
 * Returns the key that devices with this build verify updates with, if any. If the build contains several keys, returns the key that
 * signed the file.
 */
function ownKey({ embeddedKeys, trailer }: Firmware): RsaPublicKey | undefined {
  if (embeddedKeys.length === 1) return embeddedKeys[0]?.key;
  const signer = trailer?.verifiedBy?.fingerprint;
  return embeddedKeys.find(({ key }) => key.fingerprint === signer)?.key;
}
