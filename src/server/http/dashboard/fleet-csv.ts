import { setImmediate } from 'node:timers/promises';
import { stream } from 'hono/streaming';
import type { ServerParts } from '../../parts.ts';
import { deviceStatus } from '../../storage/device-status.ts';
import type { SeenDevice } from '../../storage/records.ts';
import { channelText, coreOf } from './fleet-columns.tsx';
import { readFleetQuery } from './fleet-filter.ts';
import { type RunningReleases, runningReleases, selectFleet } from './fleet-selection.ts';
import type { PageContext } from './page-login.ts';
import { reasonOf } from './reason.ts';

const rowsAtOnce = 1000;

const columns = {
  mac: ({ record }) => record.mac,
  name: ({ record }) => record.name,
  status: ({ record }) => deviceStatus(record),
  reason: ({ record }) => reasonOf(record),
  version: ({ record }) => record.running?.version,
  board: ({ record }) => record.board ?? record.shownBoard,
  core: (device, { cores }) => coreOf(device, cores),
  channel: (device) => channelText(device),
  group: ({ record }) => record.group,
  labels: ({ record }) => record.labels?.join(' '),
  pin: ({ record }) => record.pin,
  enrolled: ({ record }) => (record.enrolled ? 'yes' : 'no'),
  lastSeenAt: ({ lastSeenAt }) => (lastSeenAt === undefined ? undefined : new Date(lastSeenAt).toISOString()),
} satisfies Readonly<Record<string, (device: SeenDevice, running: RunningReleases) => string | undefined>>;

/** Sends all devices of the filtered list as CSV (RFC 4180), in the order of their MACs. */
export async function fleetCsv(context: PageContext, parts: ServerParts, project: string): Promise<Response> {
  const view = readFleetQuery((name) => context.req.queries(name));
  const running = await runningReleases(parts, project, await parts.store.devices.tally(project));
  const { filter } = await selectFleet(parts, project, view, running);
  context.header('Content-Type', 'text/csv; charset=utf-8');
  context.header('Content-Disposition', `attachment; filename="${project}-devices.csv"`);
  return stream(context, async (output) => {
    await output.write(rowOf(Object.keys(columns)));
    for (let after: string | undefined; !output.aborted; ) {
      const page = await parts.records.list(project, { after, limit: rowsAtOnce }, filter);
      const rows = page.map((device) => rowOf(Object.values(columns).map((textOf) => textOf(device, running) ?? '')));
      await output.write(rows.join(''));
      after = page.at(-1)?.record.mac;
      if (page.length < rowsAtOnce) return;
      await setImmediate();
    }
  });
}

function rowOf(values: readonly string[]): string {
  return `${values.map(fieldOf).join(',')}\r\n`;
}

/** A spreadsheet would run a field that begins like a formula. Names and versions come from devices, so such a field begins with a quote. */
function fieldOf(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
