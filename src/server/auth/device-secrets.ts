import { createHash, timingSafeEqual } from 'node:crypto';
import type { DeviceRecord, DeviceSecret } from '../storage/records.ts';
import { readBasic } from './credentials.ts';

/**
 * Finds the device secret in an `Authorization: Basic` header. The user name is the MAC without colons, because a colon would end the user
 * name; the password is the secret.
 *
 * @returns undefined if the header contains no valid secret for this device
 */
export function secretIn(
  header: string | undefined,
  { mac, secrets }: Pick<DeviceRecord, 'mac' | 'secrets'>,
): DeviceSecret | undefined {
  if (secrets === undefined) return undefined;
  const given = readBasic(header);
  if (given?.user.toUpperCase() !== mac.replaceAll(':', '')) return undefined;
  const hash = createHash('sha256').update(given.password).digest();
  const isGiven = (secret: DeviceSecret | undefined) =>
    secret !== undefined && timingSafeEqual(hash, Buffer.from(secret.hash, 'hex'));
  return [secrets.newest, secrets.previous].find(isGiven);
}
