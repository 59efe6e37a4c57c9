import type { DeviceConfig } from '../core/model/inventory-schema.ts';
import { type DeliveryMethodName, deliveryMethods } from './delivery-methods.ts';
import type { DiscoveredDevice } from './discovery.ts';

/** Requested device and the expected board, for adding the device to the inventory. */
export interface DeviceSelection {
  readonly name: string;
  /** Host name or address of the device. Defaults to `name`. */
  readonly host?: string | undefined;
  readonly method?: DeliveryMethodName | undefined;
  /** Board of the project's builds, such as `d1_mini`. */
  readonly projectBoard?: string | undefined;
  /** Announced board name to accept if it does not match the project's board. */
  readonly announcedBoard?: string | undefined;
}

export type SelectionResult =
  | { readonly device: DiscoveredDevice; readonly entry: DeviceConfig }
  | { readonly reason: string; readonly hint: string };

/** Selects the requested device from the devices that responded. The announced board must match the project's board. */
export function selectDevice(selection: DeviceSelection, found: readonly DiscoveredDevice[]): SelectionResult {
  const { name, host = name, method, projectBoard, announcedBoard } = selection;
  const ofName = devicesNamed(host, found);
  const ofMethod = ofName.filter((one) => one.method === (method ?? 'espota'));
  const candidates = ofMethod.length === 0 && method === undefined ? ofName : ofMethod;
  const addresses = [...new Set(candidates.map(({ address }) => address))].sort();
  if (addresses.length > 1) {
    return {
      reason: `${addresses.length} devices named ${host} responded`,
      hint: `Select one of them with --host: ${addresses.slice(0, 10).join(', ')}.`,
    };
  }
  const [device] = candidates;
  if (device === undefined) return { reason: `no device named ${host} responded`, hint: listResponding(found) };
  const { board } = device;
  const isBoardKnown = board !== undefined && projectBoard !== undefined;
  if (isBoardKnown && board !== announcedBoard && !isSameBoard(projectBoard, board)) {
    return {
      reason: `the device announces board ${board}, but the project is for ${projectBoard}`,
      hint: `Use --board ${board} if both names refer to the same board.`,
    };
  }
  // A name that several devices have would select any of them at the next update.
  const isShared = found.some(({ host: other, address }) => other === device.host && address !== device.address);
  return { device, entry: entryOf(device, projectBoard, isShared) };
}

/** Returns the devices with a host name, a service name or an address. */
export function devicesNamed(host: string, found: readonly DiscoveredDevice[]): readonly DiscoveredDevice[] {
  const wanted = host.toLowerCase().replace(/\.$/, '');
  return found.filter((device) =>
    [device.host, device.host.replace(/\.local$/, ''), device.name.toLowerCase(), device.address].includes(wanted),
  );
}

function listResponding(found: readonly DiscoveredDevice[]): string {
  if (found.length === 0)
    return 'Set the device address in ota.config.json, or search again with `ota-hooks discover --watch`.';
  const hosts = [...new Set(found.map(({ host }) => host))].slice(0, 10);
  return `Select one of the devices that responded with --host: ${hosts.join(', ')}.`;
}

function entryOf(
  { host, address, port, method }: DiscoveredDevice,
  board: string | undefined,
  isNameShared: boolean,
): DeviceConfig {
  return {
    // The host name is stable, but the device's address may change.
    address: isNameShared ? address : host,
    ...(port === deliveryMethods[method].defaultPort ? {} : { port }),
    ...(method === 'espota' ? {} : { method }),
    ...(board === undefined ? {} : { board }),
  };
}

/**
 * Returns true if two names refer to the same board. Builds use `d1_mini` (board ID); devices announce `ESP8266_WEMOS_D1MINI`
 * (`build.board` in boards.txt) or `PLATFORMIO_D1_MINI` (`platformio-build.py` in the core).
 */
export function isSameBoard(id: string, announced: string): boolean {
  const [a, b] = [bare(id), bare(announced)];
  return a !== '' && b !== '' && (a.endsWith(b) || b.endsWith(a));
}

function bare(board: string): string {
  return board
    .toLowerCase()
    .replace(/^(?:platformio|esp8266)[_-]/, '')
    .replace(/[^a-z0-9]/g, '');
}
