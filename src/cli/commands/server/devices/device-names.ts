import { didYouMean } from '../../../../core/model/nearest-names.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { ServerClient } from '../connection.ts';
import { allDevices } from './all-devices.ts';
import { macOfNotation } from './mac-address.ts';

/** Number of devices with the same name that an error lists. */
const mostListed = 5;
/** Number of devices, one page of the server, among which an error looks for similar names. */
const mostCompared = 1000;

/**
 * Returns the MAC of a device.
 *
 * @param device MAC in any notation, or the display name of a device
 * @throws OtaError DEVICE_NAME_UNKNOWN, DEVICE_NAME_AMBIGUOUS
 */
export async function macOf(client: ServerClient, project: string, device: string): Promise<string> {
  const mac = macOfNotation(device);
  if (mac !== undefined) return mac;
  // The server accepts only names that a device can have.
  const isPossible = device.length > 0 && device.length <= 64;
  const found = isPossible ? await allDevices(client, project, { name: device }, mostListed + 1) : [];
  const [first, ...others] = found;
  if (first === undefined) throw await unknownName(client, project, device);
  if (others.length === 0) return first.mac;
  const macs = found.map((each) => each.mac);
  throw new OtaError('DEVICE_NAME_AMBIGUOUS', {
    name: device,
    macs: macs.slice(0, mostListed),
    isMore: macs.length > mostListed,
  });
}

/** Returns the error for an unknown device, with the names that it may stand for. */
export async function unknownName(client: ServerClient, project: string, name: string): Promise<OtaError> {
  const devices = await allDevices(client, project, {}, mostCompared);
  const known = devices.flatMap((each) => each.name ?? []);
  return new OtaError('DEVICE_NAME_UNKNOWN', { project, name, suggestion: didYouMean(name, known) });
}

/** Returns the MACs of devices; see {@link macOf}. */
export async function macsOf(client: ServerClient, project: string, devices: readonly string[]): Promise<string[]> {
  const macs: string[] = [];
  for (const device of devices) macs.push(await macOf(client, project, device));
  return [...new Set(macs)];
}
