import { setImmediate } from 'node:timers/promises';
import { defaultChannel } from '../../../api/release.ts';
import type { ServiceParts } from '../parts.ts';
import { isOnChannel } from '../rollouts/progress.ts';

/** Number of devices read at once. Device requests are handled between two pages. */
const pageSize = 500;

/**
 * Counts the devices that are sent a channel's releases: those on the channel that are not pinned to a version and, in a closed project, are
 * enrolled.
 */
export async function countDevicesOn(
  { records, catalog }: Pick<ServiceParts, 'records' | 'catalog'>,
  project: string,
  channel: string,
): Promise<number> {
  const isClosed = catalog.view(project)?.project.access === 'closed';
  let count = 0;
  for (let after: string | undefined; ; ) {
    const page = await records.list(project, { after, limit: pageSize });
    count += page.filter(({ record }) => {
      const { pin, requestedChannels = [defaultChannel], channel: own, enrolled } = record;
      return isOnChannel({ channel: own, requestedChannels }, channel) && pin === undefined && (enrolled || !isClosed);
    }).length;
    after = page.at(-1)?.record.mac;
    if (page.length < pageSize) return count;
    await setImmediate();
  }
}
