import { segment } from '../connection.ts';

/** Returns the API path for a device. */
export function deviceUrlPath(project: string, mac: string): string {
  return `/projects/${segment(project)}/devices/${segment(mac)}`;
}
