import { requireNoOwnSecret, reservedSecret, type SecretSpeaker } from '../../../core/model/secret-policy.ts';
import type { PasswordSource, SecretSource } from '../../../core/model/secret-source.ts';
import type { Target } from '../../../delivery/inventory.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readSecret } from '../../../project/config/secrets.ts';
import { isKeySecret, type ProjectSettings } from '../../../project/config/settings.ts';
import type { Io } from '../../io.ts';
import { namesOf } from './device-names.ts';

/**
 * Returns the device passwords. A source shared by several devices is read only once.
 *
 * @param speaker origin of the source names: the user or the configuration
 * @throws OtaError SECRET_MISSING, SECRET_RESERVED, SECRET_UNTRUSTED, FILE_UNREADABLE, PASSWORD_NOT_PROMPTED
 */
export async function devicePasswords(
  targets: readonly Target[],
  speaker: SecretSpeaker,
  settings: ProjectSettings,
  io: Io,
): Promise<ReadonlyMap<Target, string>> {
  const sharers = new Map<PasswordSource, Target[]>();
  const passwords = new Map<Target, string>();
  for (const target of targets) {
    if (target.password !== undefined) sharers.set(target.password, [...(sharers.get(target.password) ?? []), target]);
    else if (io.idePassword !== undefined) passwords.set(target, io.idePassword);
  }
  for (const [source, devices] of sharers) {
    const names = namesOf(devices);
    const purpose = `the password of ${names}`;
    const password =
      'prompt' in source
        ? (io.idePassword ?? (await promptFor(names, io)))
        : await readPassword(source, speaker, purpose, settings, io).catch((error) => insteadOf(error, io));
    for (const device of devices) passwords.set(device, password);
  }
  return passwords;
}

/** Reads a password that will be sent to a device, possibly in plain text. Rejects secrets of other kinds. */
async function readPassword(
  source: SecretSource,
  speaker: SecretSpeaker,
  purpose: string,
  settings: ProjectSettings,
  { env }: Io,
): Promise<string> {
  const use = 'device-password';
  const password = await readSecret({ use, source, speaker, purpose }, settings.folder, env, settings.trust);
  requireNoOwnSecret(password, { use, source, purpose }, env);
  // A file with several lines is a configuration or a list of secrets, not a password.
  if (isKeySecret(source, settings) || /[\r\n]/.test(password)) throw reservedSecret({ use, source, purpose });
  return password;
}

/**
 * Returns the password from the prompt of the Arduino IDE if the configured environment variable is not set: an IDE started from the
 * desktop does not have the variables of a shell. A configured password that can be read has precedence, because the IDE requires an input
 * even if it is not needed.
 */
function insteadOf(error: unknown, { idePassword }: Io): string {
  if (idePassword !== undefined && error instanceof OtaError && error.code === 'SECRET_MISSING') return idePassword;
  throw error;
}

async function promptFor(names: string, io: Io): Promise<string> {
  if (io.promptSecret === undefined) throw new OtaError('PASSWORD_NOT_PROMPTED', { devices: names });
  return io.promptSecret(`Password of ${names}`);
}
