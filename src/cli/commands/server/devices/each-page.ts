import { type DeviceSet, deviceSetResponseSchema, mostDevicesAtOnce } from '../../../../api/device-sets.ts';
import { counted } from '../../../../core/model/quantity-text.ts';
import { OtaError } from '../../../../errors/ota-error.ts';
import type { Io } from '../../../io.ts';
import { during } from '../../../output/during.ts';
import type { OutputOptions } from '../../../output/report.ts';
import { type ServerClient, segment } from '../connection.ts';

interface SetChange {
  readonly project: string;
  readonly devices: DeviceSet;
  readonly method: 'PATCH' | 'POST';
  /** End of the request path, after `/devices`. */
  readonly path: string;
  /** Further fields of the request body. */
  readonly body?: object;
  /** Description of the task for the progress display, such as `enrolling devices`. */
  readonly task: string;
}

/** Numbers of devices that a command was about, and that it changed; MACs that the server does not know. */
export interface SetChangeResult {
  readonly matched: number;
  readonly changed: number;
  readonly unknown: readonly string[];
}

/**
 * Changes any number of devices, page by page, and shows the progress. Each page is one transaction or a few; repeating a command is safe.
 *
 * @throws OtaError SERVER_NOT_OURS if the server never returns a last page
 */
export function changeEachPage(
  { request, place }: ServerClient,
  { project, devices, method, path, body, task }: SetChange,
  io: Io,
  output: OutputOptions,
): Promise<SetChangeResult> {
  return during({ what: task }, io, output, async (show) => {
    const result = { matched: 0, changed: 0, unknown: [] as string[] };
    for (const set of pagesOf(devices)) {
      for (let after: string | undefined; ; ) {
        const json = { devices: set, after, ...body };
        const urlPath = `/projects/${segment(project)}/devices${path}`;
        const page = await request(method, urlPath, deviceSetResponseSchema, json, { isRepeatable: true });
        result.matched += page.matched;
        result.changed += page.changed;
        result.unknown.push(...page.unknown);
        show(counted(result.matched, 'device'));
        if (page.next === undefined) break;
        if (after !== undefined && page.next <= after) {
          throw new OtaError('SERVER_NOT_OURS', { url: place.url.href, status: 200 });
        }
        after = page.next;
      }
    }
    return result;
  });
}

function pagesOf(devices: DeviceSet): readonly DeviceSet[] {
  if (!('macs' in devices)) return [devices];
  const count = Math.ceil(devices.macs.length / mostDevicesAtOnce);
  return Array.from({ length: count }, (_, page) => ({
    macs: devices.macs.slice(page * mostDevicesAtOnce, (page + 1) * mostDevicesAtOnce),
  }));
}
