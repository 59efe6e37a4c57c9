import { defaultChannel } from '../../../api/release.ts';
import type { Actor, DeviceRecord } from '../../storage/records.ts';
import type { ServiceParts } from '../parts.ts';
import { previewIn } from './preview.ts';

type Parts = Pick<ServiceParts, 'catalog' | 'records' | 'clock'>;

/** Device, release and author of a request. */
interface Request {
  readonly project: string;
  readonly mac: string;
  readonly version: string;
  readonly by: Actor;
}

/**
 * Requests that a release is sent to a device once: at its next update check, before its rollout stage is open, or in spite of an earlier
 * failure. The update check decides as always, so the release is not sent if preflight blocks it, if it was yanked, or if its rollout is
 * not active.
 *
 * @returns the reason why the release would not be sent now; undefined if the request was stored
 */
export async function requestInstall(
  { catalog, records, clock }: Parts,
  { project, mac, version, by }: Request,
): Promise<string | undefined> {
  const [view, seen] = [await catalog.latest(project), await records.show(project, mac)];
  if (view === undefined || seen === undefined) return 'The device is unknown.';
  const kinds = [...new Set((await view.withVersion(version)).map(({ kind }) => kind))];
  const requested = (record: DeviceRecord) => ({ ...record, install: { version, kinds } });
  const channel = channelOf(seen.record);
  const asked = { ...seen, record: requested(seen.record) };
  const { action, text, target } = await previewIn(view, asked, { channel, now: clock.now() });
  if (action !== 'send') return text;
  if (target.version !== version) return `The device would be sent ${target.version} instead of ${version}.`;
  await records.change(project, mac, (record) => record && requested(record), { by, action: 'install' });
  return undefined;
}

/** Returns the channel on which a device is expected to check for updates next. */
export function channelOf({ channel, requestedChannels }: DeviceRecord): string {
  return channel ?? requestedChannels?.at(-1) ?? defaultChannel;
}
