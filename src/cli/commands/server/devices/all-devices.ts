import type { DeviceInfo } from '../../../../api/admin-info.ts';
import { type ServerClient, segment } from '../connection.ts';

/** Fetches all devices in a project, page by page. */
export async function allDevices({ request }: ServerClient, project: string): Promise<DeviceInfo[]> {
  const all: DeviceInfo[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const query = `limit=1000&after=${segment(after)}`;
    const path = `/projects/${segment(project)}/devices?${query}`;
    const page: { devices: DeviceInfo[]; next?: string } = await request('GET', path);
    all.push(...page.devices);
    after = page.next;
  }
  return all;
}
