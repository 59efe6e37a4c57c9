import type { DeviceConfig } from '../../../core/model/inventory-schema.ts';
import type { DiscoveredDevice } from '../../../delivery/discovery.ts';
import { type DeviceSelection, devicesNamed, selectDevice } from '../../../delivery/select-device.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Report } from '../../output/report.ts';
import { requireNewName, writeEntry } from '../../shared/inventory-entry.ts';
import type { DiscoverOptions } from './options.ts';

/** Returns true if the device to add has responded, also if it cannot be added. */
export function hasResponded(
  name: string,
  devices: readonly DiscoveredDevice[],
  { host = name, method = 'espota' }: DiscoverOptions,
): boolean {
  return devicesNamed(host, devices).some((device) => device.method === method);
}

function selectionOf(
  name: string,
  { host, method, board }: DiscoverOptions,
  { config }: ProjectSettings,
): DeviceSelection {
  return { name, host, method, announcedBoard: board, projectBoard: config.board };
}

/**
 * Adds a discovered device to the configuration. The device must match the project's board.
 *
 * @throws OtaError DEVICE_NOT_ADDED
 */
export async function addDevice(
  name: string,
  devices: readonly DiscoveredDevice[],
  options: DiscoverOptions,
  settings: ProjectSettings,
  report: Report,
): Promise<void> {
  const { group, passwordEnv } = options;
  requireNewName(name, settings);
  const selection = selectDevice(selectionOf(name, options, settings), devices);
  if ('reason' in selection) throw new OtaError('DEVICE_NOT_ADDED', { name, ...selection });
  const entry: DeviceConfig = {
    ...selection.entry,
    ...(group === undefined ? {} : { group }),
    ...(passwordEnv === undefined ? {} : { password: { env: passwordEnv } }),
  };
  const path = await writeEntry(name, entry, settings);
  report.say(`added ${name} (${entry.address}) to ${report.path(path)}`);
  if (selection.device.auth === true && passwordEnv === undefined && settings.config.upload?.password === undefined) {
    report.warn(
      `${name} requires a password: add "password": {"env": "NAME"}, {"file": "PATH"} or {"prompt": true} to its entry`,
    );
  }
  // With --watch, the result follows the events of the devices, one document a line.
  const print = options.watch === true ? report.event : report.result;
  print('discover', { added: name, config: path, device: { ...entry } });
}
