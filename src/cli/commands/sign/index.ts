import { dirname, join, resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { type CompressionName, compressionNames } from '../../../core/compression/names.ts';
import { compressors } from '../../../core/compression/registry.ts';
import type { Encoding, SignatureFormat } from '../../../core/model/artifact.ts';
import { secretFromEnvironment } from '../../../core/model/secret-from-environment.ts';
import { encodingOf, payloadFor } from '../../../core/pack/payload.ts';
import { requireNoSigningKey } from '../../../core/pack/require-no-signing-key.ts';
import { signImage } from '../../../core/signing/signed-image.ts';
import type { Signer } from '../../../core/signing/signer.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { removeFiles, removeLeftovers, writeAtomically } from '../../../files/write.ts';
import { openSigner } from '../../../project/signing/open-signer.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { requireDistinct } from '../../output/outputs.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { findElf } from '../../shared/elf-beside.ts';
import { projectOptions } from '../../shared/project-options.ts';

const signCommand = (declaration: Declaration) =>
  command(declaration, 'sign', 'Sign a file, or the build that a manifest describes', [
    'ota-hooks sign --private-key private.key --bin sketch.bin --gzip',
    'ota-hooks sign --private-key private.key --manifest build/sketch.bin.ota.json',
  ])
    .addOption(projectOptions.privateKey)
    .addOption(projectOptions.passphraseEnv)
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
  requireDistinct([expectedOut, legacy], [key.path]);
  // Old outputs are removed first, so that they cannot be mistaken for new outputs after a failure.
  await removeOutputs([expectedOut, legacy], bin);

  const signer = await key.signer();
  const image = await readNamedFile(bin, 'file to sign');
  if (image.length === 0) throw new OtaError('IMAGE_EMPTY', { path: report.path(bin) });
  const given: Payload = { bytes: image, encoding: encodingOf(image) };
  requireNoSigningKey(await contentOf(given), signer.publicKey, report.path(bin));
  // A gzip file is not compressed again, so no `.gz` is added to its name.
  const isGzip = given.encoding === 'gzip';
  const out = isGzip && options.out === undefined ? `${bin}.signed` : expectedOut;
  await removeOutputs([out], bin);
  const long = { what: `compressing ${report.path(bin)}` };
  const payload = isGzip ? given : await during(long, io, options, () => compressed(image, compression, io.signal));
  await writeSigned(payload, given, { out, legacy }, signer, report);
  report.result('sign', { signed: out, legacy: legacy ?? null, fingerprint: signer.publicKey.fingerprint });
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

/** Creates both signatures before writing any file. If writing the legacy file fails, the signed file is removed. */
async function writeSigned(
  payload: Payload,
  given: Payload,
  { out, legacy }: { readonly out: string; readonly legacy: string | undefined },
  signer: Signer,
  report: Report,
): Promise<void> {
  const sign = ({ bytes, encoding }: Payload, format: SignatureFormat) =>
    signImage(payloadFor(format, bytes, encoding), signer, format, report.path(out));
  const current = await sign(payload, 'current');
  const old = legacy === undefined ? undefined : { path: legacy, bytes: await sign(given, 'legacy') };
  await writeAtomically(out, current);
  if (old !== undefined) {
    await writeAtomically(old.path, old.bytes).catch(async (error) => {
      await removeFiles([out]).catch(() => undefined);
      throw error;
    });
  }
  report.say(`Signed binary: ${report.path(out)}`);
  if (old !== undefined) report.say(`Legacy signed binary: ${report.path(old.path)}`);
}

async function signByManifest(options: SignOptions, manifest: string, io: Io, report: Report): Promise<void> {
  const path = resolve(io.cwd, manifest);
  const { readBuild, removeStaleSignatures, writeBuild } = await import('../../../project/build/build-files.ts');
  const { requireExpectedKey, signBuild } = await import('../../../core/pack/sign-build.ts');
  const { requireDescribed } = await import('../../../core/pack/require-described.ts');
  const build = await readBuild(path).catch(async (error) => {
    await removeStaleSignatures(path, undefined);
    throw error;
  });
  await removeStaleSignatures(path, build.manifest);
  const key = await keyOf(options, io, report);
  const signer = await key.signer();
  const keyName = key.path === undefined ? 'the private key' : report.path(key.path);
  requireExpectedKey(build.manifest, signer, keyName);
  const elf = await findElf(join(dirname(path), build.manifest.image.file), options.elf, io);
  await requireDescribed(build, {
    path: report.path(path),
    key: signer.publicKey,
    elf: elf?.bytes,
    declared: options.declareEnforcement === true,
  });
  const signed = await signBuild(build, signer, keyName);
  if (build.manifest.signing.publicKey === undefined && signed.manifest.image.kind === 'sketch') {
    report.warn(
      `${report.path(path)}: nothing shows that the Updater verifies signatures; pack the image with --public-key FILE to check`,
    );
  }
  const written = await writeBuild(signed, dirname(path), new Set(build.files.keys()));
  for (const file of written.slice(0, -1)) report.say(`Signed binary: ${report.path(file)}`);
  report.result('sign', signed.manifest);
}

/** Private key and the path of its file. */
interface KeyToUse {
  /** Path of the key file; undefined if the key is not stored in a file. */
  readonly path: string | undefined;
  signer(): Promise<Signer>;
}

/** Returns the key in `--private-key`, or else the project's private key. */
async function keyOf(options: SignOptions, io: Io, report: Report): Promise<KeyToUse> {
  if (options.privateKey !== undefined) {
    const path = resolve(io.cwd, options.privateKey);
    return { path, signer: () => signerAt(path, options, io, report) };
  }
  const { readProjectSettings } = await import('../../shared/project-settings.ts');
  const { projectSigner } = await import('../../shared/project-keys.ts');
  const settings = await readProjectSettings(options, io, report);
  const place = settings.privateKey;
  return {
    path: place !== undefined && 'path' in place ? place.path : undefined,
    async signer() {
      const signer = await projectSigner(settings, io, report);
      if (signer === undefined)
        throw new OtaError('KEY_MISSING_FOR', {
          command: 'sign',
          wanted: '--private-key FILE',
          isRecorded: settings.recordedKeys !== undefined,
        });
      return signer;
    },
  };
}

async function signerAt(path: string, options: SignOptions, io: Io, report: Report): Promise<Signer> {
  const passphrase = options.passphraseEnv && secretFromEnvironment(options.passphraseEnv, io.env, 'the passphrase');
  const config = { privateKey: { path }, passphrase };
  const { signer, warnings } = await openSigner(config, { env: io.env, keyName: report.path(path) });
  for (const warning of warnings) report.warn(warning);
  return signer;
}
