import { join, resolve } from 'node:path';
import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { loadPublicKey } from '../../../project/keys/key-files.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { createKeyPair, keyBitsOption } from '../../shared/create-key-pair.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';
import { editableConfig, isInProject, keysOf, requireNewKeyName, withKey } from './list.ts';

const newCommand = (declaration: Declaration) =>
  command(declaration, 'new <name>', 'Generate a key pair and add it to the configuration', [
    'ota-hooks keys new vault --private-key ../vault-private.key',
    'ota-hooks keys new vault --private-key ../vault-private.key --bits 4096',
  ])
    .addOption(keyBitsOption())
    .option('--private-key <file>', 'Private key file to create (default for the first key: private.key)')
    .option(
      '--public-key <file>',
      'Public key file to create (default: NAME-public.key; for the first key: public.key)',
    )
    .option('--encrypt', 'Encrypt the private key with a passphrase, from the prompt or the options below')
    .addOption(projectOptions.passphraseEnv)
    .addOption(projectOptions.passphraseFile)
    .addOption(projectOptions.source)
    .addOption(projectOptions.config);

const addCommand = (declaration: Declaration) =>
  command(declaration, 'add <name>', 'Add an existing public key to the configuration as a backup key', [
    'ota-hooks keys add vault --public-key vault-public.key',
    'ota-hooks keys add vault --public-key vault-public.key --json',
  ])
    .requiredOption('--public-key <file>', 'Public key to add; its private key is not needed')
    .addOption(projectOptions.source)
    .addOption(projectOptions.config);

export function declareNew(declaration: Declaration): void {
  newCommand(declaration).action((name, options) => newKey(name, options, declaration.io));
}

export function declareAdd(declaration: Declaration): void {
  addCommand(declaration).action((name, options) => addKey(name, options, declaration.io));
}

/** Generates a pair and records its public key. */
async function newKey(name: string, options: OptionsOf<typeof newCommand>, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const { passphraseEnv, passphraseFile, ...named } = options;
  const settings = await readProjectSettings(
    { source: named.source, config: named.config, passphraseEnv, passphraseFile },
    io,
    report,
  );
  const config = await editableConfig(settings);
  const keys = await keysOf(settings, io);
  requireNewKeyName(keys, name);
  const isFirst = keys.length === 0;
  if (options.privateKey === undefined && !isFirst) {
    throw new OtaError('OPTION_MISSING', {
      subject: 'a backup key',
      wanted: '--private-key FILE',
      hint: 'Pass a path outside of the project, such as --private-key ../vault-private.key.',
    });
  }
  const privatePath =
    options.privateKey === undefined ? join(settings.source, 'private.key') : resolve(io.cwd, options.privateKey);
  const publicPath =
    options.publicKey === undefined
      ? join(settings.source, isFirst ? 'public.key' : `${fileNameOf(name)}-public.key`)
      : resolve(io.cwd, options.publicKey);
  const check = (key: RsaPublicKey) => withKey(keys, name, { path: publicPath, key }, settings, io);
  const pair = await createKeyPair({ ...options, privatePath, publicPath, check }, settings, io, report);
  const list = await check(await loadPublicKey(publicPath));
  await config.write(list);
  report.say(`Added ${name} to ${report.path(config.path)} as the ${isFirst ? 'signing' : 'backup'} key`);
  if (!isFirst && isInProject(privatePath, settings)) {
    report.warn(
      `${report.path(privatePath)} is in the project: move it to a place that an attacker of this machine cannot read`,
    );
  }
  sayNext(isFirst, name, settings.config.guard !== undefined, report);
  report.result('keys new', { name, role: isFirst ? 'signing' : 'backup', ...pair });
}

/** Names of keys may contain characters that names of files cannot contain. */
function fileNameOf(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N}._-]/gu, '-');
}

async function addKey(name: string, options: OptionsOf<typeof addCommand>, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const settings = await readProjectSettings({ source: options.source, config: options.config }, io, report);
  const config = await editableConfig(settings);
  const keys = await keysOf(settings, io);
  const path = resolve(io.cwd, options.publicKey);
  const key = await loadPublicKey(path);
  const list = await withKey(keys, name, { path, key }, settings, io);
  await config.write(list);
  const role = list.at(-1)?.role ?? 'backup';
  report.say(`Added ${name} to ${report.path(config.path)} as the ${role} key (fingerprint ${key.fingerprint})`);
  sayNext(role === 'signing', name, settings.config.guard !== undefined, report);
  report.result('keys add', { name, role, publicKey: path, bits: key.bits, fingerprint: key.fingerprint });
}

function sayNext(isSigning: boolean, name: string, isGuarded: boolean, report: Report): void {
  if (isSigning) {
    report.say('Next: build and release as usual. Keep a copy of the private key in a safe place.');
    return;
  }
  report.say(
    isGuarded
      ? `Next: build and release as usual. Devices that install the release also accept ${name}.`
      : `Next: keep the private key offline. Devices do not accept ${name} yet; only devices with the guard hold several keys.`,
  );
  report.say(`To sign with it, now or if the signing key is lost: ota-hooks keys activate ${name}`);
}
