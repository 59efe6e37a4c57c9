import type { DeviceInfo } from '../../../../api/admin-info.ts';
import { devicesResponse } from '../../../../api/client/responses.ts';
import { counted } from '../../../../core/model/quantity-text.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { ShowProgress } from '../../../output/during.ts';
import { queryText, type ServerClient, segment } from '../connection.ts';
import type { DeviceConditions } from './device-filter.ts';

const pageSize = 1000;
/** Maximum number of pages, enough for a million devices. It ends the command if the server never returns a last page. */
const mostPages = 1000;

/**
 * Fetches devices in a project, page by page.
 *
 * @param most maximum number of devices
 * @param show receives the number of devices so far, as text
 * @throws OtaError SERVER_NOT_OURS if the server never returns a last page
 */
export async function allDevices(
  { request, place }: ServerClient,
  project: string,
  conditions: DeviceConditions = {},
  most = Number.POSITIVE_INFINITY,
  show?: ShowProgress,
): Promise<DeviceInfo[]> {
  const all: DeviceInfo[] = [];
  let after: string | undefined;
  for (let count = 0; count < mostPages; count++) {
    const limit = Math.min(pageSize, most - all.length);
    const path = `/projects/${segment(project)}/devices${queryText({ ...conditions, limit, after })}`;
    const page = await request('GET', path, devicesResponse);
    all.push(...page.devices);
    show?.(counted(all.length, 'device'));
    if (page.next === undefined || all.length >= most) return all.slice(0, most);
    if (page.next === after || page.devices.length === 0 || page.devices.length > limit) break;
    after = page.next;
  }
  throw new OtaError('SERVER_NOT_OURS', { url: place.url.href, status: 200 });
}
