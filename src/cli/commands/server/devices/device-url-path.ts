import { type ServerClient, segment } from '../connection.ts';
import { macOf } from './device-names.ts';

/**
 * Returns the API path for a device.
 *
 * @param device MAC in any notation, or the display name of a device
 * @throws OtaError DEVICE_NAME_UNKNOWN, DEVICE_NAME_AMBIGUOUS
 */
export async function deviceUrlPath(client: ServerClient, project: string, device: string): Promise<string> {
  return `/projects/${segment(project)}/devices/${segment(await macOf(client, project, device))}`;
}
