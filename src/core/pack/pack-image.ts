import { OtaError } from '../../errors/ota-error.ts';
import { toolVersion } from '../../version.ts';
import type { CompressionName } from '../compression/names.ts';
import { compressors } from '../compression/registry.ts';
import { layoutInElf, symbolTraces } from '../firmware/elf-layout.ts';
import type { FindingId } from '../firmware/finding.ts';
import { type Firmware, readFirmware } from '../firmware/firmware.ts';
import { sketchMd5s } from '../firmware/sketch-md5.ts';
import { gzipExtraField, gzipMetadata } from '../firmware/update-metadata.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import type { ImageKind } from '../model/artifact.ts';
import type { Artifact, Manifest, ManifestKey, ManifestMetadata, RuleAllowance } from '../model/manifest.ts';
import { printableText } from '../model/unprintable.ts';
import { imageFacts, quickInflateFacts } from '../preflight/image-facts.ts';
import { rulesAllowedByProject } from '../preflight/project-rules.ts';
import type { Build } from './build.ts';
import { checkBuild } from './check-build.ts';
import { digests } from './digests.ts';
import { settleEnforcement } from './enforcement.ts';
import { alignedGzip, artifactFacts } from './marked-payload.ts';
import { encodingOf } from './payload.ts';
import { requireNoSigningKey } from './require-no-signing-key.ts';

/** Image to pack, as bytes and plain data. Only the image and its path are required. */
export interface PackRequest {
  /** Path of the image, used in messages. */
  readonly path: string;
  readonly image: Uint8Array;
  /** Image name, the first part of artifact names. Defaults to the last part of `path`. */
  readonly file?: string | undefined;
  /** ELF of the same build, which can prove that the sketch verifies updates. */
  readonly elf?: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  /** Kind of the image. Required for a SPIFFS image without a magic number. By default, the kind is detected from the image. */
  readonly kind?: ImageKind | undefined;
  /** Key that devices verify updates with. Absent in an unsigned project. */
  readonly publicKey?: RsaPublicKey | undefined;
  /** For a hop: key of the devices that it is for. It signs the build, and `publicKey` is the key in the image. */
  readonly previousKey?: RsaPublicKey | undefined;
  /** Compression of the artifact. Defaults to `gzip`. */
  readonly compression?: CompressionName | undefined;
  /** True if {@link signBuild} also signs the raw image for core 2.5.x. Defaults to `false`. */
  readonly legacy?: boolean | undefined;
  /** True if {@link signBuild} also signs a compressed filesystem image. Defaults to `false`. */
  readonly signCompressedFilesystem?: boolean | undefined;
  /** True if the sketch calls `Update.installSignature` itself. An ELF is then not needed as proof. Defaults to `false`. */
  readonly enforcementDeclared?: boolean | undefined;
  /** Names of preflight rules that do not stop the build. */
  readonly allow?: readonly string[] | undefined;
  /** Preflight rules that the project allows. The rules do not stop the build, and the manifest lists them for uploads and publishing. */
  readonly allowedRules?: readonly RuleAllowance[] | undefined;
  /**
   * Metadata in the artifacts, which devices with the guard check. Defaults to the project name as the product, security version 0, and
   * metadata only in gzip artifacts. `none`: the artifacts contain no metadata.
   */
  readonly metadata?: ManifestMetadata | 'none' | undefined;
  /** Manifest of the last released sketch. The build must not lock out devices that run it. Absent for a first release. */
  readonly previous?: Manifest | undefined;
  readonly project?: string | undefined;
  readonly version?: string | undefined;
  readonly board?: string | undefined;
  /** Git commit of the sources, as 40 or 64 hexadecimal digits. */
  readonly sourceCommit?: string | undefined;
  /** Builder of the image: the URL of the run of a build server, or `local`. */
  readonly builder?: string | undefined;
  /** Signal that aborts a long compression. */
  readonly signal?: AbortSignal | undefined;
}

/** Unsigned build, and warnings about the build. */
export interface PackResult {
  readonly build: Build;
  readonly warnings: readonly string[];
}

/**
 * Packs an image into an unsigned build: the unchanged image, a compressed artifact, and the manifest. Signing is a separate step ({@link
 * signBuild}) and can run on a different machine.
 *
 * @throws OtaError NAME_UNPRINTABLE, VERSION_PLACEHOLDER, PRIVATE_KEY_INSIDE, IMAGE_EMPTY, IMAGE_NOT_FIRMWARE, IMAGE_ALREADY_SIGNED, IMAGE_WRONG_KIND, GZIP_EXTRA_FIELD, UPDATE_BLOCKED, and the errors of
 *   {@link settleEnforcement}; the signal's abort reason
 */
export async function packImage(request: PackRequest): Promise<PackResult> {
  const { file = nameIn(request.path), compression = 'gzip', project, version, board, builder } = request;
  requirePrintable({ 'file name': file, 'project name': project, version, 'board name': board, builder });
  requireVersion(version);
  const firmware = readFirmware(request.image, request.publicKey && { knownKeys: [request.publicKey] });
  const kind = requireKind(request, firmware);
  for (const key of [request.publicKey, request.previousKey]) {
    if (key !== undefined) requireNoSigningKey(firmware.content, key, request.path);
  }
  const { enforcement, warnings } = settleEnforcement({
    path: request.path,
    firmware,
    elf: request.elf,
    expectedKey: kind === 'sketch' ? request.publicKey : undefined,
    declared: request.enforcementDeclared ?? false,
  });

  const files = new Map([[file, request.image]]);
  const metadata = metadataOf(request);
  requireNoForeignField(request, metadata);
  const artifacts = [await unsigned(file, request.image, firmware, firmware.encoding)];
  const compress = compressors[compression];
  if (compress !== undefined && firmware.encoding === 'identity') {
    const image = { kind, content: request.image };
    const compressed = await alignedGzip(await compress(request.image, request.signal), image, metadata);
    files.set(`${file}.gz`, compressed.bytes);
    artifacts.push({ file: `${file}.gz`, encoding: 'gzip', signature: 'none', ...artifactFacts(compressed) });
  }
  // Some builds compress the image themselves. Devices on old cores, and devices with unknown facts, need the raw image.
  if (firmware.encoding === 'gzip' && firmware.content.length > 0) {
    files.set(`${file}.raw`, firmware.content);
    artifacts.push(await unsigned(`${file}.raw`, firmware.content, firmware, 'identity'));
  }
  const manifest = describe({ ...request, file }, firmware, kind, { enforcement, metadata, artifacts });
  const allow = new Set([...(request.allow ?? []), ...rulesAllowedByProject(manifest)]);
  const findings = checkBuild(manifest, request.path, allow, request.previous);
  return {
    build: { manifest, files },
    warnings: [...warnings, ...unexpectedKeys(request, kind, firmware), ...findings],
  };
}

/** Reports keys in the sketch of a project without a key: devices with such a key would reject this build and all later ones. */
function unexpectedKeys({ path, publicKey }: PackRequest, kind: ImageKind, { embeddedKeys }: Firmware): string[] {
  if (publicKey !== undefined || kind !== 'sketch') return [];
  return embeddedKeys.map(
    ({ key }) =>
      `${path} contains the public key ${key.fingerprint}, but the project has no key: the build is not signed, and a device that verifies with this key rejects it`,
  );
}

/** Versions that scripts pass by mistake if they find no version. Such a version does not identify a release. */
const placeholder = /^(?:undefined|null|none|nan|\[object \w+\])$|\$\{/i;

function requireVersion(version: string | undefined): void {
  if (version !== undefined && (version.trim() === '' || placeholder.test(version))) {
    throw new OtaError('VERSION_PLACEHOLDER', { version });
  }
}

/** The manifest accepts only printable names. */
function requirePrintable(names: Readonly<Record<string, string | undefined>>): void {
  for (const [what, name = ''] of Object.entries(names)) {
    if (!printableText.test(name)) throw new OtaError('NAME_UNPRINTABLE', { what, name });
  }
}

function nameIn(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

async function unsigned(
  file: string,
  bytes: Uint8Array,
  { content, kind }: Firmware,
  encoding: Artifact['encoding'],
): Promise<Artifact> {
  const inflate = encoding === 'gzip' ? await quickInflateFacts(bytes, content, kind === 'sketch') : undefined;
  const metadata = encoding === 'gzip' ? gzipMetadata(bytes) : undefined;
  return { file, encoding, signature: 'none', ...artifactFacts({ bytes, inflate, metadata }) };
}

function metadataOf({ metadata, project }: PackRequest): ManifestMetadata | undefined {
  if (metadata === 'none') return undefined;
  return metadata ?? { product: project, securityVersion: 0, raw: false };
}

/** A build may have compressed its image itself. Its extra field would hide the metadata from devices. */
function requireNoForeignField({ path, image }: PackRequest, metadata: ManifestMetadata | undefined): void {
  if (metadata !== undefined && encodingOf(image) === 'gzip' && gzipExtraField(image) === 'foreign') {
    throw new OtaError('GZIP_EXTRA_FIELD', { path });
  }
}

/** Findings for files that are not firmware at all. Preflight rules report damaged firmware. */
const fatal: ReadonlySet<FindingId> = new Set<FindingId>([
  'empty-file',
  'unknown-content',
  'foreign-image',
  'eboot-header-truncated',
  'application-missing',
  'application-header-truncated',
]);

function requireKind({ path, image, kind }: PackRequest, firmware: Firmware): ImageKind {
  if (image.length === 0) throw new OtaError('IMAGE_EMPTY', { path });
  if (kind === 'filesystem' && firmware.kind === 'unknown') return kind;
  if (firmware.trailer !== undefined) throw new OtaError('IMAGE_ALREADY_SIGNED', { path });
  const reason = whyNoFirmware(firmware);
  if (reason !== undefined) throw new OtaError('IMAGE_NOT_FIRMWARE', { path, reason });
  if (firmware.kind === 'unknown')
    throw new OtaError('IMAGE_NOT_FIRMWARE', { path, reason: 'its content is not recognized' });
  if (kind !== undefined && kind !== firmware.kind) {
    const hint = `Pass --kind ${firmware.kind}, or a ${kind} image.`;
    throw new OtaError('IMAGE_WRONG_KIND', { path, kind: firmware.kind, expected: kind, hint });
  }
  return firmware.kind;
}

/** Returns the reason why a file is not firmware. For damaged gzip, the first finding is the most specific reason. */
function whyNoFirmware({ encoding, findings }: Firmware): string | undefined {
  const finding = findings.find(({ id }) => fatal.has(id));
  return encoding === 'gzip' && finding !== undefined ? findings[0]?.message : finding?.message;
}

function describe(
  request: PackRequest & { readonly file: string },
  firmware: Firmware,
  kind: ImageKind,
  { enforcement, metadata, artifacts }: Pick<Manifest, 'enforcement' | 'metadata' | 'artifacts'>,
): Manifest {
  const { project, version, board, sourceCommit, builder, publicKey, previousKey, elf } = request;
  const sketchSizeBytes = kind === 'sketch' ? firmware.sketch?.sketchSizeBytes : undefined;
  const facts = imageFacts(firmware, kind === 'filesystem');
  const symbols = kind === 'sketch' && elf !== undefined ? symbolTraces(elf.bytes, firmware) : undefined;
  const layout = kind === 'sketch' && elf !== undefined ? layoutInElf(elf.bytes, firmware) : undefined;
  return {
    manifest: 1,
    tool: { name: 'ota-hooks', version: toolVersion },
    project,
    version,
    board,
    sourceCommit,
    builder,
    image: {
      file: request.file,
      kind,
      encoding: firmware.encoding,
      ...digests(request.image),
      ...facts,
      layout: layout && { fsStart: layout.fsStart, fsEnd: layout.fsEnd },
      symbols: symbols && { ...symbols },
      sketchMd5s: sketchSizeBytes === undefined ? [] : [...sketchMd5s(firmware.content, sketchSizeBytes)],
    },
    embeddedKeys: firmware.embeddedKeys.map(({ key }) => key.fingerprint).sort(),
    enforcement,
    signing: {
      publicKey: publicKey && keyOf(publicKey),
      previousKey: previousKey && keyOf(previousKey),
      legacy: request.legacy ?? false,
      compressedFilesystem: request.signCompressedFilesystem ?? false,
    },
    metadata,
    artifacts,
    allowedRules: request.allowedRules?.length ? [...request.allowedRules] : undefined,
  };
}

function keyOf({ fingerprint, bits, pem }: RsaPublicKey): ManifestKey {
  return { fingerprint, bits, pem };
}
