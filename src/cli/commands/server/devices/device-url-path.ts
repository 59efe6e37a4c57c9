import { segment } from '../connection.ts';

/** Returns the path of a device in the API. */
export function deviceUrlPath(project: string, mac: string): string {
  return `/projects/${segment(project)}/devices/${segment(mac)}`;
}
