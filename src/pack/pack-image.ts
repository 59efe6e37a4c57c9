import { alignGzip } from '../compression/alignment.ts';
import type { CompressionName } from '../compression/names.ts';
import { compressors } from '../compression/registry.ts';
import type { ImageKind } from '../domain/artefact.ts';
import type { Artefact, Manifest } from '../domain/manifest.ts';
import { OtaError } from '../errors.ts';
import { layoutInElf } from '../firmware/elf-layout.ts';
import type { FindingId } from '../firmware/finding.ts';
import { type Firmware, readFirmware } from '../firmware/firmware.ts';
import { sketchMd5s } from '../firmware/sketch-md5.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import { imageFacts, quickInflateFacts } from '../preflight/image-facts.ts';
import { toolVersion } from '../version.ts';
import type { Build } from './build.ts';
import { digests } from './digests.ts';
import { settleEnforcement } from './enforcement.ts';
import { judgeBuild } from './judge-build.ts';

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
  /** Names of preflight rules that may not stop the build. */
  readonly allow?: readonly string[];
  readonly project: string | undefined;
  readonly version: string | undefined;
  readonly board: string | undefined;
  /** Aborts what takes long. */
  readonly signal?: AbortSignal;
}

/**
 * Turns an image into an unsigned build: the image as it is, a compressed artefact, and the manifest. Signing is a stage of its own
 * ({@link signBuild}), on this machine or on another.
 *
 * @throws OtaError IMAGE_EMPTY, IMAGE_NOT_FIRMWARE, PREFLIGHT_REFUSED, and those of {@link settleEnforcement}; the reason of the signal
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
  const artefacts = [await unsigned(request.file, request.image, firmware, firmware.encoding)];
  const compress = compressors[request.compression];
  if (compress !== undefined && firmware.encoding === 'identity') {
    const file = `${request.file}.gz`;
    const compressed = alignGzip(await compress(request.image, request.signal));
    files.set(file, compressed);
    artefacts.push(await unsigned(file, compressed, firmware, 'gzip'));
  }
  const manifest = describe(request, firmware, kind, enforcement, artefacts);
  const complaints = judgeBuild(manifest, request.path, new Set(request.allow));
  return { build: { manifest, files }, warnings: [...warnings, ...complaints] };
}

async function unsigned(
  file: string,
  bytes: Uint8Array,
  { content, kind }: Firmware,
  encoding: Artefact['encoding'],
): Promise<Artefact> {
  const inflate = encoding === 'gzip' ? await quickInflateFacts(bytes, content, kind === 'sketch') : undefined;
  return { file, encoding, signature: 'none', payloadBytes: bytes.length, inflate, ...digests(bytes) };
}

/** What makes a file no firmware at all; the rules of preflight speak about those that are one and are damaged. */
const fatal: ReadonlySet<FindingId> = new Set<FindingId>([
  'empty-file',
  'unknown-content',
  'eboot-header-truncated',
  'application-missing',
  'application-header-truncated',
]);

function judge({ path, image, kind }: PackRequest, firmware: Firmware): ImageKind {
  if (image.length === 0) throw new OtaError('IMAGE_EMPTY', { path });
  if (kind === 'filesystem' && firmware.kind === 'unknown') return kind;
  const reason =
    firmware.trailer !== undefined ? 'it is signed already; give the unsigned image' : whyNoFirmware(firmware);
  if (reason !== undefined) throw new OtaError('IMAGE_NOT_FIRMWARE', { path, reason });
  if (firmware.kind === 'unknown') throw new OtaError('IMAGE_NOT_FIRMWARE', { path, reason: 'its content is unknown' });
  if (kind !== undefined && kind !== firmware.kind) {
    throw new OtaError('IMAGE_NOT_FIRMWARE', { path, reason: `it is a ${firmware.kind}, not a ${kind}` });
  }
  return firmware.kind;
}

/** Of a gzip that is broken the first finding tells more than that there is no content. */
function whyNoFirmware({ encoding, findings }: Firmware): string | undefined {
  const finding = findings.find(({ id }) => fatal.has(id));
  return encoding === 'gzip' && finding !== undefined ? findings[0]?.message : finding?.message;
}

function describe(
  request: PackRequest,
  firmware: Firmware,
  kind: ImageKind,
  enforcement: Manifest['enforcement'],
  artefacts: Artefact[],
): Manifest {
  const { project, version, board, publicKey, elf } = request;
  const sketchSizeBytes = kind === 'sketch' ? firmware.sketch?.sketchSizeBytes : undefined;
  const layout = kind === 'sketch' && elf !== undefined ? layoutInElf(elf.bytes, firmware) : undefined;
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
      ...imageFacts(firmware, kind === 'filesystem'),
      layout: layout && { fsStart: layout.fsStart, fsEnd: layout.fsEnd },
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
