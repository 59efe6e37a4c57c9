import { isDeepStrictEqual } from 'node:util';
import { mostDevices, type StoredDevice } from '../../../delivery/discovered.ts';
import { type DiscoveredDevice, Discovery, identityOf, nameKeyOf } from '../../../delivery/discovery.ts';
import { pause } from '../../../delivery/pause.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { during } from '../../output/during.ts';
import { makeReport, type Report } from '../../output/report.ts';
import { table } from '../../output/table.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';
import { storeDevices, storedDevices } from '../../shared/stored-devices.ts';
import { addDevice, hasResponded } from './add.ts';
import { type DiscoverOptions, discoverCommand } from './options.ts';

export function declareDiscover(declaration: Declaration) {
  return discoverCommand(declaration).action((options) => discover(options, declaration.io));
}

/** Lists the devices that announce themselves. Only `--add` adds a device to the project. */
export async function discover(options: DiscoverOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const settings = await readProjectSettings({ source: options.source, config: options.config }, io, report);
  const interfaces = options.interface.length > 0 ? options.interface : undefined;
  const discovery = await Discovery.open({ interfaces });
  if (!(discovery instanceof Discovery)) {
    const hint =
      'Pass --interface ADDRESS, or allow UDP port 5353 in the firewall; `upload --host ADDRESS` works without discovery.';
    throw new OtaError('DISCOVERY_UNAVAILABLE', { reason: discovery.unavailable, hint });
  }
  const found = new Map<string, DiscoveredDevice>();
  const appeared = new AbortController();
  discovery.watch((device) => {
    const before = found.get(identityOf(device));
    if (before === undefined && found.size >= mostDevices) return;
    found.set(identityOf(device), device);
    if (options.watch === true && !isDeepStrictEqual(before, device)) printOne(device, settings, report);
    if (options.add !== undefined && hasResponded(options.add, [device], options)) appeared.abort();
  });
  try {
    const lastsMs = options.timeout * 1000;
    if (options.watch === true) {
      await until(appeared.signal, io.signal);
      await pause(lastsMs, io.signal);
    } else {
      // Also after the device to add was found: a second device of this name may respond later.
      await during({ what: 'listening for devices', lastsMs }, io, options, () => pause(lastsMs, io.signal));
    }
  } finally {
    discovery.close();
    await storeDevices([...found.values()], settings);
  }
  const devices = [...found.values()].sort((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1));
  if (options.add === undefined) return printAll(devices, settings, report);
  await addDevice(options.add, devices, options, settings, report);
}

/** Maximum delay of a Node.js timer, about 24 days. */
const longestMs = 2 ** 31 - 1;

/** Waits for an event. Rejects when `end` aborts. */
async function until(event: AbortSignal, end: AbortSignal): Promise<void> {
  await pause(longestMs, AbortSignal.any([event, end])).catch((error) => {
    if (!event.aborted) throw error;
  });
}

async function printAll(
  devices: readonly DiscoveredDevice[],
  settings: ProjectSettings,
  report: Report,
): Promise<void> {
  const present = new Set(devices.map(nameKeyOf));
  const absent = (await storedDevices(settings)).filter((device) => !present.has(nameKeyOf(device)));
  const documents = devices.map((device) => documentOf(device, settings));
  const rows = [
    ...devices.map((device) => rowOf(device, settings, 'now')),
    ...absent.map((device) => rowOf(device, settings, ago(device))),
  ];
  if (rows.length === 0)
    report.say(
      'No device responded. mDNS reaches only the local network: select a different network with --interface ADDRESS, or use device addresses.',
    );
  const head = ['name', 'address', 'method', 'board', 'password', 'last seen', 'configured as'];
  report.result(
    'discover',
    {
      devices: documents,
      previouslyFound: absent.map(({ lastSeen, ...device }) => ({ ...documentOf(device, settings), lastSeen })),
    },
    rows.length === 0 ? undefined : table([head, ...rows]),
  );
}

function printOne(device: DiscoveredDevice, settings: ProjectSettings, report: Report): void {
  report.event('discover', documentOf(device, settings), rowOf(device, settings, 'now').join('  '));
}

function documentOf(device: DiscoveredDevice, settings: ProjectSettings) {
  const { board = null, auth = null, sketchMd5 = null, ...rest } = device;
  return { ...rest, board, auth, sketchMd5, inventory: nameIn(settings, device) ?? null };
}

function rowOf(device: DiscoveredDevice, settings: ProjectSettings, seen: string): string[] {
  const { host, address, port, method, board = '-', auth } = device;
  const password = auth === undefined ? '-' : auth ? 'yes' : 'no';
  return [host, `${address}:${port}`, method, board, password, seen, nameIn(settings, device) ?? '-'];
}

function nameIn({ config }: ProjectSettings, { host, address, method }: DiscoveredDevice): string | undefined {
  const listed = Object.entries(config.devices ?? {});
  const mine = listed.filter(([, device]) => [host, address].includes(device.address.toLowerCase()));
  return (mine.find(([, device]) => (device.method ?? 'espota') === method) ?? mine[0])?.[0];
}

function ago({ lastSeen }: StoredDevice): string {
  const minutes = Math.max(1, Math.round((Date.now() - Date.parse(lastSeen)) / 60_000));
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 60 / 24)} days ago`;
}
