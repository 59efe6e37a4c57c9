import { join } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { type KeyPlace, requirePrivateKeyPermission } from '../../../project/config/settings.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { createKeyPair, keyBitsOption } from '../../shared/create-key-pair.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';

const keygenCommand = (declaration: Declaration) =>
  command(declaration, 'keygen', 'Generate an RSA key pair without overwriting existing keys', [
    'ota-hooks keygen',
    'ota-hooks keygen --bits 4096 --private-key secrets/door.key --public-key keys/door.pub',
  ])
    .addOption(keyBitsOption())
    .option('--private-key <file>', 'Private key file to create (default: from the configuration, or private.key)')
    .option('--public-key <file>', 'Public key file to create (default: from the configuration, or public.key)')
    .option('--encrypt', 'Encrypt the private key with a passphrase, from the prompt or the options below')
    .addOption(projectOptions.passphraseEnv)
    .addOption(projectOptions.passphraseFile)
    .addOption(projectOptions.source)
    .option('--config <file>', 'Configuration file (default: ota.config.json in the source folder or a parent)');

type KeygenOptions = OptionsOf<typeof keygenCommand>;

export function declareKeygen(declaration: Declaration) {
  return keygenCommand(declaration).action((options) => keygen(options, declaration.io));
}

/** Creates a key pair; never overwrites an existing key. */
export async function keygen(options: KeygenOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const settings = await readProjectSettings(options, io, report);
  const { source } = settings;
  const privatePath = pathOf(settings.privateKey, 'private') ?? join(source, 'private.key');
  const publicPath = pathOf(settings.publicKey, 'public') ?? join(source, 'public.key');
  if (settings.privateKey !== undefined && 'path' in settings.privateKey) requirePrivateKeyPermission(settings);
  const isAdditional = options.privateKey !== undefined && options.publicKey !== undefined;
  if (settings.recordedKeys !== undefined && !isAdditional) throw new OtaError('KEYS_RECORDED', settings.recordedKeys);
  const key = await createKeyPair({ ...options, privatePath, publicPath }, settings, io, report);
  report.say('Keep a copy of the private key in a safe place: devices with this public key accept no other key.');
  report.result('keygen', key);
}

/**
 * Returns the configured path for a key, if any.
 *
 * @throws OtaError KEY_IN_ENVIRONMENT if the configuration reads the key from the environment, because `keygen` can only write files
 */
function pathOf(place: KeyPlace | undefined, kind: 'private' | 'public'): string | undefined {
  if (place === undefined || 'path' in place) return place?.path;
  throw new OtaError('KEY_IN_ENVIRONMENT', { kind, variable: place.variable });
}
