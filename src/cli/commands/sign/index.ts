import { createHash } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { type CompressionName, compressionNames } from '../../../core/compression/names.ts';
import { compressors } from '../../../core/compression/registry.ts';
import type { Encoding, SignatureFormat } from '../../../core/model/artifact.ts';
import { secretFromEnvironment } from '../../../core/model/secret-from-environment.ts';
import { guardNeedsMetadata, withoutMetadataWarning } from '../../../core/pack/guard-needs-metadata.ts';
import { encodingOf, payloadFor } from '../../../core/pack/payload.ts';
import { requireNoSigningKey } from '../../../core/pack/require-no-signing-key.ts';
import { signImage } from '../../../core/signing/signed-image.ts';
import type { Signer } from '../../../core/signing/signer.ts';
import { signerInputOf } from '../../../core/signing/signer-input.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { removeFiles, removeLeftovers, writeAtomically } from '../../../files/write.ts';
import { readSecretFile } from '../../../project/config/secrets.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import { keySizeWarnings } from '../../../project/keys/key-files.ts';
import { openSigner } from '../../../project/signing/open-signer.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { requireDistinct } from '../../output/outputs.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { findElf } from '../../shared/elf-beside.ts';
import { collect } from '../../shared/option-values.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { recordInLog, signaturesOf } from '../../shared/record-signatures.ts';

const signCommand = (declaration: Declaration) =>
  command(declaration, 'sign', 'Sign a file, or the build that a manifest describes', [
    'ota-hooks sign --private-key private.key --bin sketch.bin --gzip',
    'ota-hooks sign --private-key private.key --manifest build/sketch.bin.ota.json',
  ])
    .addOption(projectOptions.privateKey)
    .addOption(projectOptions.passphraseEnv)
    .addOption(projectOptions.passphraseFile)
    .addOption(projectOptions.signer)
    .addOption(projectOptions.signerCommand)
    .addOption(projectOptions.signerInput)
    .addOption(
      new Option(
        '--public-key <file>',
        'Public key that verifies the signatures of a program or file (default: public.key)',
      ).conflicts(['privateKey']),
    )
    .addOption(projectOptions.source)
    .addOption(projectOptions.config)
    .option('--bin <file>', 'File to sign')
    .option('--out <file>', 'Signed file (default: FILE.signed or FILE.gz.signed)')
    .option('--gzip', 'Compress the file with gzip before signing')
    .addOption(
      new Option('--compression <method>', 'Compress the file with this method before signing').choices(
        compressionNames,
      ),
    )
    .option('--legacy <file>', 'Also write this file, signed for devices on core 2.5.x')
    .addOption(
      new Option('--manifest <file>', 'Manifest of a `pack --unsigned` build to sign').conflicts([
        'bin',
        'out',
        'gzip',
        'compression',
        'legacy',
      ]),
    )
    .addOption(
      new Option(
        '--digest-only',
        'Write the digests to sign elsewhere, or what --signer-input names, instead of signing',
      ).conflicts(['privateKey', 'signer', 'signerCommand']),
    )
    .addOption(
      new Option('--signature <file>', 'Raw signature that was made elsewhere (repeatable)')
        .argParser(collect)
        .default([])
        .conflicts(['privateKey', 'signer', 'signerCommand', 'signerInput', 'digestOnly']),
    )
    .option('--elf <file>', 'With --manifest: ELF file of the build (default: next to the image)')
    .option('--declare-enforcement', 'With --manifest: declare that the sketch calls Update.installSignature itself');

type SignOptions = OptionsOf<typeof signCommand>;

export function declareSign(declaration: Declaration) {
  return signCommand(declaration).action((options) => sign(options, declaration.io));
}

/** Signs any non-empty file, or the build that a manifest describes. Preflight rules are not applied. */
export async function sign(options: SignOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  if (options.manifest !== undefined) return signByManifest(options, options.manifest, io, report);
  if (options.bin === undefined) {
    throw new OtaError('OPTION_MISSING', { subject: '`sign`', wanted: '--bin FILE or --manifest FILE' });
  }
  await signFile(options, resolve(io.cwd, options.bin), io, report);
}

async function signFile(options: SignOptions, bin: string, io: Io, report: Report): Promise<void> {
  const compression = options.compression ?? (options.gzip === true ? 'gzip' : 'none');
  const legacy = options.legacy === undefined ? undefined : resolve(io.cwd, options.legacy);
  const expectedOut =
    options.out === undefined ? `${bin}${compression === 'none' ? '' : '.gz'}.signed` : resolve(io.cwd, options.out);
  requireDistinct([expectedOut, legacy], [options.privateKey && resolve(io.cwd, options.privateKey)]);
  const key = await keyOf(options, io, report).catch(async (error) => {
    await removeOutputs([expectedOut, legacy], bin);
    throw error;
  });
  requireDistinct([expectedOut, legacy], key.paths);
  // Old outputs are removed first, so that they cannot be mistaken for new outputs after a failure.
  await removeOutputs([expectedOut, legacy], bin);

  const { signer, requireAllUsed } = await key.open();
  const image = await readNamedFile(bin, 'file to sign');
  if (image.length === 0) throw new OtaError('IMAGE_EMPTY', { path: bin });
  const given: Payload = { bytes: image, encoding: encodingOf(image) };
  const content = await contentOf(given);
  requireNoSigningKey(content, signer.publicKey, report.path(bin));
  // A gzip file is not compressed again, so no `.gz` is added to its name.
  const isGzip = given.encoding === 'gzip';
  const out = isGzip && options.out === undefined ? `${bin}.signed` : expectedOut;
  await removeOutputs([out], bin);
  const long = { what: `compressing ${report.path(bin)}` };
  const payload = isGzip ? given : await during(long, io, options, () => compressed(image, compression, io.signal));
  const wanted: PayloadToSign[] = [
    { path: out, format: 'current', payload: payloadFor('current', payload.bytes, payload.encoding) },
    ...(legacy === undefined
      ? []
      : [{ path: legacy, format: 'legacy' as const, payload: payloadFor('legacy', given.bytes, given.encoding) }]),
  ];
  const [current] = wanted;
  if (current !== undefined && guardNeedsMetadata(current.payload, content, key.guardRequires)) {
    report.warn(withoutMetadataWarning(report.path(out)));
  }
  if (options.digestOnly === true) return writeDigests(wanted, options, report);
  const signed = await signedFiles(wanted, signer, report);
  requireAllUsed();
  const { fingerprint } = signer.publicKey;
  await recordInLog(
    signed.map(({ path, bytes }) => ({ file: basename(path), sha256: sha256Of(bytes), key: fingerprint })),
    io,
    report,
  );
  await writeSigned(signed, report);
  report.result('sign', { signed: out, legacy: legacy ?? null, fingerprint });
}

interface Payload {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
}

/** Returns the image in a payload. The readers are loaded only for a gzip payload, because loading them delays the command. */
async function contentOf({ bytes, encoding }: Payload): Promise<Uint8Array> {
  if (encoding === 'identity') return bytes;
  const { largestFlashBytes } = await import('../../../core/firmware/firmware.ts');
  const { readGzip } = await import('../../../core/firmware/gzip-framing.ts');
  return readGzip(bytes, largestFlashBytes).value.content;
}

async function compressed(bytes: Uint8Array, compression: CompressionName, signal: AbortSignal): Promise<Payload> {
  const compress = compressors[compression];
  if (compress === undefined) return { bytes, encoding: 'identity' };
  return { bytes: await compress(bytes, signal), encoding: 'gzip' };
}

async function removeOutputs(paths: readonly (string | undefined)[], bin: string): Promise<void> {
  await removeLeftovers(paths.filter((path): path is string => path !== undefined && path !== bin));
}

/** Bytes to sign, and the path of the signed file. */
interface PayloadToSign {
  readonly path: string;
  readonly format: SignatureFormat;
  readonly payload: Uint8Array;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

interface SignedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Creates all signatures, so that no file is written if one of them fails. */
async function signedFiles(
  wanted: readonly PayloadToSign[],
  signer: Signer,
  report: Report,
): Promise<readonly SignedFile[]> {
  const signed: SignedFile[] = [];
  for (const { path, format, payload } of wanted) {
    signed.push({ path, bytes: await signImage(payload, signer, format, report.path(path)) });
  }
  return signed;
}

/** Writes the signed files. If writing the legacy file fails, the signed file is removed. */
async function writeSigned(signed: readonly SignedFile[], report: Report): Promise<void> {
  const written: string[] = [];
  for (const { path, bytes } of signed) {
    await writeAtomically(path, bytes).catch(async (error) => {
      await removeFiles(written).catch(() => undefined);
      throw error;
    });
    written.push(path);
  }
  const [out, legacy] = written;
  if (out !== undefined) report.say(`Signed binary: ${report.path(out)}`);
  if (legacy !== undefined) report.say(`Legacy signed binary: ${report.path(legacy)}`);
}

/**
 * Writes the input of a signer that runs elsewhere: a file beside each signed file to come.
 *
 * @throws OtaError SIGNER_NO_LEGACY
 */
async function writeDigests(wanted: readonly PayloadToSign[], options: SignOptions, report: Report): Promise<void> {
  const input = options.signerInput ?? 'digest';
  const files = wanted.map(({ path, format, payload }) => {
    const bytes = signerInputOf(payload, input, format);
    if (bytes === undefined) throw new OtaError('SIGNER_NO_LEGACY', { signer: 'of --digest-only', input });
    return { file: `${path}.${input}`, bytes, sha256: sha256Of(payload) };
  });
  for (const { file, bytes, sha256 } of files) {
    await writeAtomically(file, bytes);
    report.say(`To sign: ${report.path(file)} (SHA-256 ${sha256})`);
  }
  report.result('sign', { toSign: files.map(({ file, sha256 }) => ({ file, sha256 })) });
}

async function signByManifest(options: SignOptions, manifest: string, io: Io, report: Report): Promise<void> {
  const path = resolve(io.cwd, manifest);
  const { readBuild, removeStaleSignatures, writeBuild } = await import('../../../project/build/build-files.ts');
  const { payloadsToSign, requireExpectedKey, signBuild } = await import('../../../core/pack/sign-build.ts');
  const { requireDescribed } = await import('../../../core/pack/require-described.ts');
  const build = await readBuild(path).catch(async (error) => {
    await removeStaleSignatures(path, undefined);
    throw error;
  });
  await removeStaleSignatures(path, build.manifest);
  const key = await keyOf(options, io, report);
  const { signer, requireAllUsed } = await key.open();
  requireExpectedKey(build.manifest, signer, key.name);
  const elf = await findElf(join(dirname(path), build.manifest.image.file), options.elf, io);
  await requireDescribed(build, {
    path: report.path(path),
    key: signer.publicKey,
    elf: elf?.bytes,
    declared: options.declareEnforcement === true,
  });
  if (options.digestOnly === true) {
    const wanted = await payloadsToSign(build, signer.publicKey);
    return writeDigests(
      wanted.map(({ file, format, payload }) => ({ path: join(dirname(path), file), format, payload })),
      options,
      report,
    );
  }
  const signed = await signBuild(build, signer, key.name);
  requireAllUsed();
  await recordInLog(signaturesOf(signed.manifest), io, report);
  if (build.manifest.signing.publicKey === undefined && signed.manifest.image.kind === 'sketch') {
    report.warn(
      `${report.path(path)}: nothing shows that the Updater verifies signatures; pack the image with --public-key FILE to check`,
    );
  }
  const written = await writeBuild(signed, dirname(path), new Set(build.files.keys()));
  for (const file of written.slice(0, -1)) report.say(`Signed binary: ${report.path(file)}`);
  report.result('sign', signed.manifest);
}

/** Key to sign with. */
interface KeyToUse {
  /** Name of the key in messages. */
  readonly name: string;
  /** Files that no output may overwrite: the key and the detached signatures. */
  readonly paths: readonly string[];
  /** What the guard of the project requires; undefined if the project is not read or has no guard. */
  readonly guardRequires?: 'signature' | 'metadata' | undefined;
  open(): Promise<OpenKey>;
}

interface OpenKey {
  readonly signer: Signer;
  /** Checks that every detached signature belongs to a signed file. */
  readonly requireAllUsed: () => void;
}

const nothingToCheck = () => undefined;

/** Returns the key in `--private-key`, or else the project's signer, or the public key for signatures that are made elsewhere. */
async function keyOf(options: SignOptions, io: Io, report: Report): Promise<KeyToUse> {
  if (options.privateKey !== undefined) {
    const path = resolve(io.cwd, options.privateKey);
    const open = async () => ({
      signer: await signerAt(path, options, io, report),
      requireAllUsed: nothingToCheck,
    });
    return { name: report.path(path), paths: [path], open };
  }
  const { readProjectSettings } = await import('../../shared/project-settings.ts');
  const settings = await readProjectSettings(options, io, report);
  if (options.digestOnly === true || options.signature.length > 0) return detachedKey(options, settings, io, report);
  const { projectSigner, signerName } = await import('../../shared/project-keys.ts');
  const place = settings.privateKey;
  return {
    name: signerName(settings, report),
    guardRequires: settings.config.guard?.require,
    paths: place !== undefined && 'path' in place ? [place.path] : [],
    async open() {
      const signer = await projectSigner(settings, io, report);
      if (signer !== undefined) return { signer, requireAllUsed: nothingToCheck };
      throw new OtaError('KEY_MISSING_FOR', {
        command: 'sign',
        wanted: '--private-key FILE',
        isRecorded: settings.recordedKeys !== undefined,
      });
    },
  };
}

/** Returns a key whose private half is elsewhere. */
async function detachedKey(options: SignOptions, settings: ProjectSettings, io: Io, report: Report): Promise<KeyToUse> {
  const { keyPlaceName, projectKeyAt } = await import('../../shared/project-keys.ts');
  const { detachedSigner } = await import('../../../project/signing/detached-signer.ts');
  const { publicKey: place } = settings;
  const paths = options.signature.map((file) => resolve(io.cwd, file));
  return {
    name: 'the key that signs elsewhere',
    guardRequires: settings.config.guard?.require,
    paths: [...paths, ...(place !== undefined && 'path' in place ? [place.path] : [])],
    async open() {
      const wanted = '--public-key FILE';
      if (place === undefined) throw new OtaError('KEY_MISSING_FOR', { command: 'sign', wanted });
      const publicKey = await projectKeyAt(place, settings, io);
      for (const warning of keySizeWarnings(publicKey, keyPlaceName(place, report))) report.warn(warning);
      return detachedSigner(paths, publicKey);
    },
  };
}

async function signerAt(path: string, options: SignOptions, io: Io, report: Report): Promise<Signer> {
  const { passphraseEnv, passphraseFile } = options;
  const keyName = report.path(path);
  const passphrase =
    passphraseFile === undefined
      ? passphraseEnv && secretFromEnvironment(passphraseEnv, io.env, 'the passphrase')
      : await readSecretFile(resolve(io.cwd, passphraseFile));
  const { passphrasePrompt } = await import('../../shared/project-keys.ts');
  const config = { privateKey: { path }, passphrase, promptPassphrase: passphrasePrompt(keyName, io) };
  const { signer, warnings } = await openSigner(config, { env: io.env, keyName });
  for (const warning of warnings) report.warn(warning);
  return signer;
}
