import type { DeviceInfo } from '../../../../api/admin-info.ts';
import { devicesResponse } from '../../../../api/client/responses.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import { type ServerClient, segment } from '../connection.ts';

const pageSize = 1000;
/** Maximum number of pages, enough for a million devices. It ends the command if the server never returns a last page. */
const mostPages = 1000;

/**
 * Fetches all devices in a project, page by page.
 *
 * @throws OtaError SERVER_NOT_OURS if the server never returns a last page
 */
export async function allDevices({ request, place }: ServerClient, project: string): Promise<DeviceInfo[]> {
  const all: DeviceInfo[] = [];
  let after = '';
  for (let count = 0; count < mostPages; count++) {
    const query = `limit=${pageSize}&after=${segment(after)}`;
    const path = `/projects/${segment(project)}/devices?${query}`;
    const page = await request('GET', path, devicesResponse);
    all.push(...page.devices);
    if (page.next === undefined) return all;
    if (page.next === after || page.devices.length === 0 || page.devices.length > pageSize) break;
    after = page.next;
  }
  throw new OtaError('SERVER_NOT_OURS', { url: place.url.href, status: 200 });
}
