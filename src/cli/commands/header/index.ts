import { resolve } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import type { Guard } from '../../../core/keys/guard-record.ts';
import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import { signingHeader, unsignedHeader } from '../../../core/keys/signing-header.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { makeFolderOf, removeLeftovers, writeIfChanged } from '../../../files/write.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { requireDistinct } from '../../output/outputs.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { projectOptions } from '../../shared/project-options.ts';

const headerCommand = (declaration: Declaration) =>
  command(declaration, 'header', 'Generate Updater_Signing.h before a build', [
    'ota-hooks header --public-key public.key --out build/Updater_Signing.h',
    'ota-hooks header --source firmware/door --out build/core/Updater_Signing.h',
  ])
    .requiredOption('--out <file>', 'Header file to write; its folder is created if necessary')
    .option('--public-key <file>', 'Public key that devices will verify updates with')
    .option('--private-key <file>', 'Private key to derive the public key from, if there is no public key file')
    .addOption(projectOptions.passphraseEnv)
    .addOption(projectOptions.passphraseFile)
    .addOption(projectOptions.source)
    .addOption(projectOptions.config)
    .addOption(new Option('--if-set-up', 'Print nothing for a sketch without keys and configuration').hideHelp())
    .option('--image <file>', 'Image (.bin) that the build will create; stale artifacts next to the image are removed');

type HeaderOptions = OptionsOf<typeof headerCommand>;

export function declareHeader(declaration: Declaration) {
  return headerCommand(declaration).action((options) => header(options, declaration.io));
}

/**
 * Writes `Updater_Signing.h` before a build. If the key is invalid, the header is removed, because a build with a stale header would embed
 * a different key.
 */
export async function header(options: HeaderOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const out = resolve(io.cwd, options.out);
  const named = [options.publicKey, options.privateKey].filter((path) => path !== undefined);
  requireDistinct(
    [out],
    named.map((path) => resolve(io.cwd, path)),
  );
  if (options.image !== undefined) {
    const { removeStaleArtifacts } = await import('../../../project/build/build-files.ts');
    await removeStaleArtifacts([resolve(io.cwd, options.image)]);
  }
  const { key, guard, text, isConfigured, source } = await findKeys(options, io, report).catch(async (error) => {
    await removeLeftovers([out]);
    throw error;
  });
  const written = await writeHeader(out, text);
  if (guard !== undefined) report.say(`Enabling binary signing, with the guard (${keyCount(guard)})`);
  else if (key !== undefined) report.say('Enabling binary signing');
  else if (isConfigured || options.ifSetUp !== true)
    report.say(`Not enabling binary signing: no public.key in ${report.path(source)}`);
  report.detail(`${report.path(out)} ${written}`);
  report.result('header', {
    header: out,
    written: written === 'written',
    fingerprint: key?.fingerprint ?? null,
    bits: key?.bits ?? null,
    guard: guard === undefined ? null : { keys: guard.keys.map(({ fingerprint }) => fingerprint) },
  });
}

function keyCount({ keys }: Guard): string {
  return keys.length === 1 ? '1 key' : `${keys.length} keys`;
}

/** Writes the header and creates the folder if necessary. Removes the header if writing fails. */
export async function writeHeader(out: string, text: string): Promise<'written' | 'unchanged'> {
  await makeFolderOf(out);
  return writeIfChanged(out, text).catch(async (error) => {
    await removeLeftovers([out]).catch(() => undefined);
    throw error;
  });
}

/** Returns the text of the header for a key, or for unsigned builds. */
export function plainHeader(key: RsaPublicKey | undefined): string {
  return key === undefined ? unsignedHeader() : signingHeader(key);
}

interface FoundKeys {
  readonly key: RsaPublicKey | undefined;
  readonly guard: Guard | undefined;
  /** Text of the header. */
  readonly text: string;
  /** True if the project has a configuration or a key. */
  readonly isConfigured: boolean;
  /** Folder of the sketch or platformio.ini. */
  readonly source: string;
}

/** Finds the keys and generates the header. */
async function findKeys(options: HeaderOptions, io: Io, report: Report): Promise<FoundKeys> {
  const { readProjectSettings } = await import('../../shared/project-settings.ts');
  const { projectPublicKey } = await import('../../shared/project-keys.ts');
  const settings = await readProjectSettings(options, io, report);
  const key = await projectPublicKey(settings, io, report);
  const isConfigured = key !== undefined || settings.configPath !== undefined;
  const found = { key, isConfigured, source: settings.source };
  if (settings.config.guard === undefined) return { ...found, guard: undefined, text: plainHeader(key) };
  const { projectGuard } = await import('../../shared/project-guard.ts');
  const { guardHeader } = await import('../../../core/keys/guard-header.ts');
  const guard = await projectGuard(settings, key, io);
  await requireNoOwnVerifier(settings.source, report);
  return { ...found, guard, text: guard === undefined ? plainHeader(key) : guardHeader(guard) };
}

/** @throws OtaError GUARD_REPLACED */
async function requireNoOwnVerifier(source: string, report: Report): Promise<void> {
  const { findOwnVerifiers } = await import('../../../project/build/own-verifier.ts');
  const places = (await findOwnVerifiers([source])).map(({ path, line }) => `${report.path(path)}:${line}`);
  if (places.length > 0) throw new OtaError('GUARD_REPLACED', { places });
}
