import { isIPv4 } from 'node:net';
import type { DeviceFacts } from '../core/model/device-facts.ts';
import type { DeviceConfig, UploadConfig } from '../core/model/inventory-schema.ts';
import type { PasswordSource } from '../core/model/secret-source.ts';
import type { WebPreset } from '../core/model/web-preset.ts';
import { OtaError } from '../errors/ota-error.ts';
import type { DeliveryTarget } from './delivery.ts';
import { type DeliveryMethodName, deliveryMethods } from './delivery-methods.ts';

/** Devices in a configuration, and options for connecting to them. */
export interface Inventory {
  readonly project?: string | undefined;
  readonly upload?: UploadConfig | undefined;
  readonly devices?: Readonly<Record<string, DeviceConfig>> | undefined;
}

/** Device to update. */
export interface Target extends DeliveryTarget {
  /** Name of the device for users, the ledger and resumed runs. A device that is not in the inventory is named by its address and port. */
  readonly name: string;
  readonly method: DeliveryMethodName;
  readonly port: number;
  readonly password: PasswordSource | undefined;
  /** Device facts from the configuration. */
  readonly facts: DeviceFacts;
}

/** Selection of devices to update. Exactly one of the fields is set. */
export interface TargetSelection {
  /** Inventory names, addresses or host names of devices, each with an optional `:PORT`. */
  readonly hosts: readonly string[];
  readonly all?: boolean | undefined;
  readonly group?: string | undefined;
}

/** Connection options from the command line, for all devices in a run. These options override the configuration. */
export interface ConnectionOptions {
  readonly method?: DeliveryMethodName | undefined;
  readonly port?: number | undefined;
  readonly passwordEnv?: string | undefined;
  readonly hostIp?: string | undefined;
  readonly hostPort?: number | undefined;
  readonly preset?: WebPreset | undefined;
  readonly path?: string | undefined;
  readonly user?: string | undefined;
  readonly field?: string | undefined;
}

/**
 * Resolves the selection into targets. `all` and `group` select only devices in the configuration, not discovered devices.
 *
 * @throws OtaError OPTION_INVALID, OPTION_MISSING, OPTIONS_CONFLICT, INVENTORY_EMPTY, GROUP_EMPTY
 */
export function chooseTargets(
  inventory: Inventory,
  selection: TargetSelection,
  connection: ConnectionOptions,
): readonly Target[] {
  const resolve = (name: string, device: DeviceConfig) => resolveTarget(inventory, connection, name, device);
  const named = Object.entries(inventory.devices ?? {});
  if (selection.all === true || selection.group !== undefined) {
    if (selection.hosts.length > 0) {
      throw new OtaError('OPTIONS_CONFLICT', { option: '--host', other: selection.all === true ? '--all' : '--group' });
    }
    return ofInventory(named, selection.group).map(([name, device]) => resolve(name, device));
  }
  const targets = selection.hosts.map((host) => {
    const [name, device] = named.find(([known, { address }]) => host === known || host === address) ?? readHost(host);
    return resolve(name, device);
  });
  if (targets.length === 0) {
    throw new OtaError('OPTION_MISSING', {
      subject: '`upload`',
      wanted: '--host, --all or --group',
      hint: 'Add --host ADDRESS, or add devices to ota.config.json and pass --all.',
    });
  }
  return [...new Map(targets.map((target) => [target.name, target])).values()];
}

function ofInventory(
  devices: readonly [string, DeviceConfig][],
  group: string | undefined,
): readonly [string, DeviceConfig][] {
  const chosen = devices.filter(([, device]) => group === undefined || device.group === group);
  if (chosen.length > 0) return chosen;
  if (devices.length === 0 || group === undefined) throw new OtaError('INVENTORY_EMPTY', {});
  const groups = [...new Set(devices.flatMap(([, device]) => device.group ?? []))];
  throw new OtaError('GROUP_EMPTY', { group, groups });
}

/** Parses a host that is not the name of a device in the inventory. */
function readHost(spec: string): [string, DeviceConfig] {
  const [, address, digits] = /^([^\s,/:]+)(?::(\d{1,5}))?$/.exec(spec) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  const isAddress = address !== undefined && (isIPv4(address) || !/^[\d.]+$/.test(address));
  if (!isAddress || port === 0 || (port ?? 1) > 65_535) {
    throw new OtaError('OPTION_INVALID', {
      option: '--host',
      value: spec,
      expected: 'must be a device in the configuration, an IPv4 address or a host name, with an optional :PORT',
    });
  }
  return [spec, { address, port }];
}

function resolveTarget(
  inventory: Inventory,
  connection: ConnectionOptions,
  name: string,
  device: DeviceConfig,
): Target {
  const { upload = {}, project } = inventory;
  const isListed = Object.hasOwn(inventory.devices ?? {}, name);
  const method = methodOf(connection, device, upload);
  const port = connection.port ?? portFor(method, device, upload, isListed) ?? deliveryMethods[method].defaultPort;
  return {
    name: isListed ? name : `${device.address}:${port}`,
    method,
    host: device.address,
    port,
    ...webForm(connection, device, upload),
    user: connection.user ?? device.user ?? upload.user,
    hostIp: connection.hostIp ?? upload.hostIp,
    hostPort: connection.hostPort ?? upload.hostPort,
    password:
      connection.passwordEnv === undefined ? (device.password ?? upload.password) : { env: connection.passwordEnv },
    facts: {
      ...device.facts,
      // Devices in the inventory belong to this project by definition.
      project: isListed ? project : undefined,
      board: device.board,
      transport: method,
    },
  };
}

/** Options that apply only to the web updater. */
const webOptions = ['preset', 'path', 'user', 'field'] as const;

/** Returns the delivery method. An option for the web updater selects the method `web`. */
function methodOf(connection: ConnectionOptions, device: DeviceConfig, upload: UploadConfig): DeliveryMethodName {
  const webOption = webOptions.find((name) => connection[name] !== undefined);
  if (webOption !== undefined && connection.method === 'espota') {
    throw new OtaError('OPTIONS_CONFLICT', { option: `--${webOption}`, other: '--method espota' });
  }
  if (webOption !== undefined) return 'web';
  return connection.method ?? device.method ?? upload.method ?? 'espota';
}

/** Returns the form of the web updater. Earlier sources override later ones. A path or a field after the first preset is ignored. */
function webForm(...sources: readonly Pick<ConnectionOptions, 'preset' | 'path' | 'field'>[]) {
  const from = sources.findIndex(({ preset }) => preset !== undefined);
  const valid = from === -1 ? sources : sources.slice(0, from + 1);
  return {
    preset: sources[from]?.preset,
    path: valid.find(({ path }) => path !== undefined)?.path,
    field: valid.find(({ field }) => field !== undefined)?.field,
  };
}

/** Returns the configured port. Returns undefined if the port was configured for a different delivery method. */
function portFor(
  method: DeliveryMethodName,
  device: DeviceConfig,
  upload: UploadConfig,
  isListed: boolean,
): number | undefined {
  const usual = upload.method ?? 'espota';
  if (device.port !== undefined && (!isListed || method === (device.method ?? usual))) return device.port;
  return method === usual ? upload.port : undefined;
}
