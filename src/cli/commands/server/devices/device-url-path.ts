import { segment } from '../connection.ts';
import { macOfNotation } from './mac-address.ts';

/** Returns the API path for a device. The MAC address may have any notation. */
export function deviceUrlPath(project: string, mac: string): string {
  return `/projects/${segment(project)}/devices/${segment(macOfNotation(mac) ?? mac)}`;
}
