import type { PasswordSource } from '../../../core/model/secret-source.ts';
import type { Target } from '../../../delivery/inventory.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readSecret } from '../../../project/config/secrets.ts';
import type { Io } from '../../io.ts';
import { namesOf } from './device-names.ts';

/**
 * Returns the device passwords. A source shared by several devices is read only once.
 *
 * @param folder configuration folder
 * @throws OtaError SECRET_MISSING, FILE_UNREADABLE, PASSWORD_UNASKED
 */
export async function devicePasswords(
  targets: readonly Target[],
  folder: string,
  io: Io,
): Promise<ReadonlyMap<Target, string>> {
  const sharers = new Map<PasswordSource, Target[]>();
  for (const target of targets) {
    if (target.password !== undefined) sharers.set(target.password, [...(sharers.get(target.password) ?? []), target]);
  }
  const passwords = new Map<Target, string>();
  for (const [source, devices] of sharers) {
    const names = namesOf(devices);
    const password =
      'prompt' in source ? await ask(names, io) : await readSecret(source, folder, io.env, `the password of ${names}`);
    for (const device of devices) passwords.set(device, password);
  }
  return passwords;
}

async function ask(names: string, io: Io): Promise<string> {
  if (io.askSecret === undefined) throw new OtaError('PASSWORD_UNASKED', { devices: names });
  return io.askSecret(`Password of ${names}`);
}
