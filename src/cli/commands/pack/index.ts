import { basename, dirname, extname, relative, resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { compressionNames } from '../../../core/compression/names.ts';
import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import { artifactSuffixes, billSuffix, manifestSuffix } from '../../../core/model/artifact.ts';
import type { Manifest } from '../../../core/model/manifest.ts';
import { type PackRequest, packImage } from '../../../core/pack/pack-image.ts';
import { signBuild } from '../../../core/pack/sign-build.ts';
import type { Signer } from '../../../core/signing/signer.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { arduinoBoard } from '../../../project/build/arduino-board.ts';
import { removeStaleArtifacts, writeBuild } from '../../../project/build/build-files.ts';
import { buildServerRun } from '../../../project/build/build-server.ts';
import { copyName, withoutCopiedImages } from '../../../project/build/copies.ts';
import { resolveFirmwareVersion } from '../../../project/build/firmware-version.ts';
import { sourceCommit } from '../../../project/build/source-commit.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Config } from '../../../project/config/types.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { allowedRule, configuredAllowances, projectAllowOption, warnOfAllowances } from '../../shared/allowed-rules.ts';
import { findElf } from '../../shared/elf-beside.ts';
import { namedEntry, placeOf, recordedKey, recordedKeysOf } from '../../shared/key-list.ts';
import { previousRelease } from '../../shared/previous-release.ts';
import { projectGuard, requireGuard } from '../../shared/project-guard.ts';
import { projectPublicKey, projectSigner, requirePair, signerName } from '../../shared/project-keys.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';
import { recordInLog, signaturesOf } from '../../shared/record-signatures.ts';

const packCommand = (declaration: Declaration) =>
  command(declaration, 'pack [file...]', 'Create the artifacts and manifest for a build', [
    'ota-hooks pack build/sketch.ino.bin',
    'ota-hooks pack build/sketch.ino.bin --unsigned --public-key public.key --json',
  ])
    .addOption(projectOptions.source)
    .addOption(projectOptions.config)
    .addOption(projectOptions.privateKey)
    .option(
      '--public-key <file>',
      'Public key (default: public.key in the source folder, or derived from the private key)',
    )
    .addOption(projectOptions.passphraseEnv)
    .addOption(projectOptions.passphraseFile)
    .addOption(projectOptions.signer)
    .addOption(projectOptions.signerCommand)
    .addOption(projectOptions.signerInput)
    .addOption(new Option('--if-set-up', 'Do nothing for a sketch without keys and configuration').hideHelp())
    .option('--unsigned', 'Do not sign; sign later with `sign --manifest`')
    .addOption(new Option('--require-signed', 'Fail if no signing key is available').conflicts(['unsigned']))
    .option('--hop <key>', 'Sign with this key of the configuration, for devices that do not have the signing key yet')
    .option('--elf <file>', 'ELF file that shows whether the firmware verifies signatures (default: next to the image)')
    .addOption(
      new Option('--kind <kind>', 'Image kind, if it cannot be detected').choices(['sketch', 'filesystem'] as const),
    )
    .addOption(new Option('--compression <method>', 'Compression method (default: gzip)').choices(compressionNames))
    .option('--legacy', 'Also write a .legacy_sig file for devices on core 2.5.x')
    .option(
      '--sign-compressed-filesystem',
      'Also sign a compressed filesystem (only for devices with ATOMIC_FS_UPDATE)',
    )
    .option('--no-metadata', 'Write no metadata for devices with the guard into the artifacts')
    .option('--sbom', 'Also write a bill of materials (CycloneDX) beside the image, as IMAGE.cdx.json')
    .option('--declare-enforcement', 'Declare that the sketch calls Update.installSignature itself')
    .option(
      '--previous <file>',
      'Manifest of the last release, whose devices must accept this build (default: the last release that this folder published)',
    )
    .option('--project <name>', 'Project name')
    .option('--firmware-version <version>', 'Firmware version')
    .option('--board <name>', 'Board name')
    .option('--allow <rule>', 'Preflight rule to report as a warning instead of an error (repeatable)', allowedRule, [])
    .addOption(projectAllowOption);

type PackOptions = OptionsOf<typeof packCommand>;

export function declarePack(declaration: Declaration) {
  return packCommand(declaration).action((files, options) => pack(files, options, declaration.io));
}

interface Keys {
  readonly publicKey: RsaPublicKey | undefined;
  /** Key that signs a hop. */
  readonly previousKey?: RsaPublicKey | undefined;
  readonly signer: Signer | undefined;
}

/** Creates the artifacts and the manifest for each image on the command line. Without an image, packs all configured images. */
export async function pack(files: readonly string[], options: PackOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const named = files.map((file) => resolve(io.cwd, file));
  // Outputs of an earlier build are removed even if the configuration or a key is invalid.
  await removeStaleArtifacts(named);
  const settings = await readProjectSettings(options, io, report);
  if (options.ifSetUp === true && !isSetUp(settings)) return report.result('pack', []);
  requireGuardOptions(options, settings.config);
  const images = named.length > 0 ? named : await findImages(settings, report);
  await removeStaleArtifacts(images);

  const keys = await (options.hop === undefined
    ? loadKeys(options, settings, io, report)
    : hopKeys(options.hop, options, settings, io, report));
  if (options.requireSigned === true || settings.config.signing === 'required') {
    requireSigner(keys, options, images.map(report.path));
  }
  const manifests: Manifest[] = [];
  for (const image of images) manifests.push(await packOne(image, keys, options, settings, io, report));
  const [only] = manifests;
  report.result('pack', only !== undefined && manifests.length === 1 ? only : manifests);
}

async function packOne(
  path: string,
  { publicKey, previousKey, signer }: Keys,
  options: PackOptions,
  settings: ProjectSettings,
  io: Io,
  report: Report,
): Promise<Manifest> {
  const { config } = settings;
  const board = options.board ?? config.board ?? (await arduinoBoard(dirname(path)));
  const previous = await previousRelease(
    { file: options.previous, project: options.project, board },
    settings,
    io,
    report,
  );
  const request: PackRequest = {
    path: report.path(path),
    file: basename(path),
    image: await readNamedFile(path, 'image'),
    elf: await findElf(path, options.elf, io),
    kind: options.kind,
    publicKey,
    previousKey,
    compression: options.compression ?? config.compression ?? 'gzip',
    legacy: options.legacy ?? config.legacy ?? false,
    signCompressedFilesystem: options.signCompressedFilesystem ?? config.signCompressedFilesystem ?? false,
    enforcementDeclared: options.declareEnforcement ?? config.enforcement === 'declared',
    metadata: metadataOf(options, config, previous),
    previous,
    project: options.project ?? config.project,
    version: resolveFirmwareVersion(options.firmwareVersion, settings, io.env),
    board,
    sourceCommit: sourceCommit(settings.source),
    builder: buildServerRun(io) ?? 'local',
    allow: options.allow,
    allowedRules: [...configuredAllowances(config), ...options.projectAllow],
    signal: io.signal,
  };
  const packed = () => packImage(request);
  const isLong = request.compression === 'zopfli';
  const { build, warnings } = await (isLong
    ? during({ what: `compressing ${request.path}` }, io, options, packed)
    : packed());
  const guard = await projectGuard(settings, publicKey, io);
  if (guard !== undefined && build.manifest.image.kind === 'sketch') {
    requireGuard(request.path, build.manifest.image.guard, guard);
  }
  for (const warning of warnings) report.warn(warning);
  warnOfAllowances(build.manifest.allowedRules ?? [], report);
  const named = { ...build, manifest: withCopyName(build.manifest, config.artifacts?.name) };
  const finished = signer === undefined ? named : await signBuild(named, signer, signerName(settings, report));
  io.signal.throwIfAborted();
  await recordInLog(signaturesOf(finished.manifest), io, report);
  await writeBuild(finished, dirname(path));
  printArtifacts(finished.manifest, dirname(path), report);
  if (options.sbom ?? config.sbom ?? false) {
    const { writeBill } = await import('./bill.ts');
    await writeBill(path, finished.manifest, request.elf?.bytes, report);
  }
  return finished.manifest;
}

/**
 * Rejects options that contradict the guard, as the configuration rejects the keys of the same meaning.
 *
 * @throws OtaError OPTIONS_CONFLICT
 */
function requireGuardOptions({ metadata, declareEnforcement }: PackOptions, { guard }: Config): void {
  if (guard?.require === 'metadata' && !metadata) {
    throw new OtaError('OPTIONS_CONFLICT', {
      option: '--no-metadata',
      other: '"require": "metadata" in the guard of the configuration',
      hint: 'Remove --no-metadata: devices with this guard would reject the artifacts.',
    });
  }
  if (guard !== undefined && declareEnforcement === true) {
    throw new OtaError('OPTIONS_CONFLICT', {
      option: '--declare-enforcement',
      other: '"guard" in the configuration',
      hint: 'Remove --declare-enforcement: a sketch that calls Update.installSignature replaces the guard.',
    });
  }
}

/**
 * Returns the metadata for the artifacts. Only devices with the guard read the metadata behind a raw image. Without a guard in the
 * configuration, the product and the security version of the last release stay: devices that still have the guard require them, and a
 * renamed project must not change the product.
 */
function metadataOf(options: PackOptions, config: Config, previous: Manifest | undefined): PackRequest['metadata'] {
  if (!options.metadata || config.metadata === false) return 'none';
  const { guard } = config;
  return {
    product: guard?.product ?? previous?.metadata?.product ?? options.project ?? config.project,
    securityVersion: guard === undefined ? (previous?.metadata?.securityVersion ?? 0) : (guard.securityVersion ?? 0),
    raw: guard !== undefined,
  };
}

/** Returns whether a sketch uses ota-hooks. Hooks in a core run for every sketch on the machine. */
function isSetUp({ configPath, privateKey, publicKey }: ProjectSettings): boolean {
  return [configPath, privateKey, publicKey].some((part) => part !== undefined);
}

function withCopyName(manifest: Manifest, pattern: string | undefined): Manifest {
  return pattern === undefined ? manifest : { ...manifest, copyName: copyName(pattern, manifest) };
}

/** Loads the keys. The private key is loaded only if it exists and --unsigned is not set. */
async function loadKeys(options: PackOptions, settings: ProjectSettings, io: Io, report: Report): Promise<Keys> {
  const signer = options.unsigned === true ? undefined : await projectSigner(settings, io, report);
  if (settings.publicKey === undefined && signer !== undefined) return { publicKey: signer.publicKey, signer };
  const publicKey =
    settings.publicKey === undefined && options.unsigned === true
      ? undefined
      : await projectPublicKey(settings, io, report);
  if (options.unsigned === true && publicKey === undefined) {
    report.warn('no public key, so pack cannot check whether devices will verify updates; pass --public-key FILE');
  }
  if (publicKey !== undefined && signer !== undefined) requirePair(signer, publicKey, settings, report);
  return { publicKey, signer };
}

/**
 * Loads the keys of a hop: the signing key of the configuration, which the image contains, and the key of the devices, which signs.
 *
 * @throws OtaError KEY_NAME_UNKNOWN, HOP_KEY
 */
async function hopKeys(
  name: string,
  options: PackOptions,
  settings: ProjectSettings,
  io: Io,
  report: Report,
): Promise<Keys> {
  const entry = namedEntry(name, settings);
  const previousKey = await recordedKey(entry, settings, io);
  const publicKey = await projectPublicKey(settings, io, report);
  if (publicKey === undefined || publicKey.fingerprint === previousKey.fingerprint) {
    throw new OtaError('HOP_KEY', { name });
  }
  if (options.unsigned === true) return { publicKey, previousKey, signer: undefined };
  const forHop = { ...settings, publicKey: placeOf(entry, settings), recordedKeys: recordedKeysOf(settings, [entry]) };
  const signer = await projectSigner(forHop, io, report);
  return { publicKey, previousKey, signer };
}

/** @throws OtaError SIGNING_REQUIRED */
function requireSigner({ signer }: Keys, { unsigned }: PackOptions, [path = 'the image']: readonly string[]): void {
  if (signer !== undefined) return;
  const problem = unsigned === true ? '--unsigned is set' : 'there is no private key';
  throw new OtaError('SIGNING_REQUIRED', { path, problem });
}

async function findImages({ config, folder, trust }: ProjectSettings, report: Report): Promise<string[]> {
  if (config.images === undefined) {
    throw new OtaError('OPTION_MISSING', {
      subject: '`pack`',
      wanted: 'an image',
      hint: 'Pass the .bin file from the build, or set "images": ["build/**/*.bin"] in ota.config.json.',
    });
  }
  // pack removes files beside an image, so a configuration must not select images in the user's other folders.
  const { findFiles } = await import('../../../files/find-files.ts');
  const found = await findFiles({ patterns: config.images, folder, project: trust });
  if (found.length === 0) {
    throw new OtaError('IMAGES_NONE', { what: 'image', patterns: config.images, folder: report.path(folder) });
  }
  return withoutCopiedImages(withoutArtifacts(found));
}

/** Excludes artifacts, because a pattern such as `build/*` matches artifacts of an earlier build. */
function withoutArtifacts(paths: readonly string[]): string[] {
  const artifacts = new Set(
    paths.flatMap((path) => [...artifactSuffixes, manifestSuffix, billSuffix].map((suffix) => path + suffix)),
  );
  return paths.filter((path) => !artifacts.has(path));
}

const enforcements: Readonly<Record<Manifest['enforcement'], string>> = {
  elf: 'yes, shown by the ELF file',
  declared: 'yes, as declared',
  unproven: 'unknown',
};

function printArtifacts(manifest: Manifest, folder: string, report: Report): void {
  const { image, artifacts, signing, enforcement } = manifest;
  const signed = artifacts.filter(({ signature }) => signature !== 'none');
  for (const { file } of signed) report.say(`Signed binary: ${report.path(resolve(folder, file))}`);
  if (signed.length === 0 && signing.publicKey !== undefined) {
    const path = report.path(resolve(folder, image.file + manifestSuffix));
    report.say(`Not signed here: sign with ota-hooks sign --manifest ${path} --private-key FILE`);
  }
  if (manifest.copyName !== undefined) {
    report.say(`Artifacts copied as ${report.path(resolve(folder, manifest.copyName + extname(image.file)))}*`);
  }
  for (const { file, sizeBytes } of artifacts) {
    const share = file === image.file ? '' : `  ${Math.round((100 * sizeBytes) / image.sizeBytes)}%`;
    report.detail(`  ${relative(folder, resolve(folder, file))}  ${sizeBytes} bytes${share}`);
  }
  if (image.kind === 'sketch' && signing.publicKey !== undefined) {
    report.detail(`  devices verify their next update: ${enforcements[enforcement]}`);
  }
}
