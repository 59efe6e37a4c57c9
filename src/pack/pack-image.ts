import { alignGzip } from '../compression/alignment.ts';
import type { CompressionName } from '../compression/names.ts';
import { compressors } from '../compression/registry.ts';
import type { ImageKind } from '../domain/artefact.ts';
import type { Artefact, Manifest } from '../domain/manifest.ts';
import { OtaError } from '../errors.ts';
import type { FindingId } from '../firmware/finding.ts';
import { type Firmware, readFirmware } from '../firmware/firmware.ts';
import { sketchMd5s } from '../firmware/sketch-md5.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import { toolVersion } from '../version.ts';
import type { Build } from './build.ts';
import { digests } from './digests.ts';
import { settleEnforcement } from './enforcement.ts';

/** What one build is packed from: bytes and plain data. */
export interface PackRequest {
  /** The image's path, for messages. */
  readonly path: string;
  /** The image's name; the artefacts' names begin with it. */
  readonly file: string;
  readonly image: Uint8Array;
  readonly elf: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  /** Known beforehand where the bytes don't tell: SPIFFS images have no mark of their own. */
  readonly kind: ImageKind | undefined;
  readonly publicKey: RsaPublicKey | undefined;
  readonly compression: CompressionName;
  readonly legacy: boolean;
  readonly signCompressedFilesystem: boolean;
  readonly enforcementDeclared: boolean;
  readonly project: string | undefined;
  readonly version: string | undefined;
  readonly board: string | undefined;
}

/**
 * Turns an image into an unsigned build: the image as it is, a compressed artefact, and the manifest. Signing is a stage of its own
 * ({@link signBuild}), on this machine or on another.
 *
 * @throws OtaError IMAGE_EMPTY, IMAGE_NOT_FIRMWARE, and those of {@link settleEnforcement}
 */
export async function packImage(request: PackRequest): Promise<{ build: Build; warnings: readonly string[] }> {
  const firmware = readFirmware(request.image, request.publicKey && { knownKeys: [request.publicKey] });
  const kind = judge(request, firmware);
  const { enforcement, warnings } = settleEnforcement({
    path: request.path,
    firmware,
    elf: request.elf,
    expectedKey: kind === 'sketch' ? request.publicKey : undefined,
    declared: request.enforcementDeclared,
  });

  const files = new Map([[request.file, request.image]]);
  const artefacts = [unsigned(request.file, firmware.encoding, request.image)];
  const compress = compressors[request.compression];
  if (compress !== undefined && firmware.encoding === 'identity') {
    const file = `${request.file}.gz`;
    const compressed = alignGzip(await compress(request.image));
    files.set(file, compressed);
    artefacts.push(unsigned(file, 'gzip', compressed));
  }
  return { build: { manifest: describe(request, firmware, kind, enforcement, artefacts), files }, warnings };
}

function unsigned(file: string, encoding: Artefact['encoding'], bytes: Uint8Array): Artefact {
  return { file, encoding, signature: 'none', ...digests(bytes) };
}

/** What makes an image one that no device could run, or that is not fit to be packed. */
const fatal: ReadonlySet<FindingId> = new Set<FindingId>([
  'empty-file',
  'unknown-content',
  'eboot-header-truncated',
  'application-missing',
  'application-header-truncated',
  'no-segments',
  'segment-header-truncated',
  'segment-past-end',
  'image-truncated',
  'checksum-mismatch',
  'crc-size-mismatch',
  'crc-mismatch',
  'trailing-data',
  'gzip-header-truncated',
  'gzip-method-unknown',
  'gzip-corrupt',
  'gzip-truncated',
  'gzip-too-large',
  'gzip-crc-mismatch',
  'gzip-size-mismatch',
  'gzip-second-member',
  'gzip-nested',
]);

function judge({ path, image, kind }: PackRequest, firmware: Firmware): ImageKind {
  if (image.length === 0) throw new OtaError('IMAGE_EMPTY', { path });
  if (kind === 'filesystem' && firmware.kind === 'unknown') return kind;
  const reason =
    firmware.trailer !== undefined
      ? 'it is signed already; give the unsigned image'
      : firmware.findings.find(({ id }) => fatal.has(id))?.message;
  if (reason !== undefined) throw new OtaError('IMAGE_NOT_FIRMWARE', { path, reason });
  if (firmware.kind === 'unknown') throw new OtaError('IMAGE_NOT_FIRMWARE', { path, reason: 'its content is unknown' });
  if (kind !== undefined && kind !== firmware.kind) {
    throw new OtaError('IMAGE_NOT_FIRMWARE', { path, reason: `it is a ${firmware.kind}, not a ${kind}` });
  }
  return firmware.kind;
}

function describe(
  request: PackRequest,
  firmware: Firmware,
  kind: ImageKind,
  enforcement: Manifest['enforcement'],
  artefacts: Artefact[],
): Manifest {
  const { project, version, board, publicKey } = request;
  const sketch = kind === 'sketch' ? firmware.sketch : undefined;
  const sketchSizeBytes = sketch?.sketchSizeBytes;
  return {
    manifest: 1,
    tool: { name: 'ota-hooks', version: toolVersion },
    project,
    version,
    board,
    image: {
      file: request.file,
      kind,
      encoding: firmware.encoding,
      ...digests(request.image),
      core: sketch?.core.release,
      coreGitHash: sketch?.core.gitHash,
      flashMode: sketch?.flash.mode,
      flashSizeBytes: sketch?.flash.sizeBytes,
      flashFrequencyMHz: sketch?.flash.frequencyMHz,
      sketchMd5s: sketchSizeBytes === undefined ? [] : [...sketchMd5s(firmware.content, sketchSizeBytes)],
    },
    embeddedKeys: firmware.embeddedKeys.map(({ key }) => key.fingerprint).sort(),
    enforcement,
    signing: {
      publicKey: publicKey && { fingerprint: publicKey.fingerprint, bits: publicKey.bits, pem: publicKey.pem },
      legacy: request.legacy,
      compressedFilesystem: request.signCompressedFilesystem,
    },
    artefacts,
  };
}
