import { Option } from '@commander-js/extra-typings';
import { type DeviceStatus, deviceStatuses } from '../../../../api/admin-info.ts';
import type { DeviceSet } from '../../../../api/device-sets.ts';

/** Options that select devices by their properties. The server evaluates them. */
export const filterOptions = {
  status: new Option('--status <status>', 'Only devices with this status').choices(deviceStatuses),
  failed: new Option('--failed', 'Only devices with a failed update, as --status failed').conflicts('status'),
  group: new Option('--group <name>', 'Only devices in this group'),
  label: new Option('--label <name>', 'Only devices with this label'),
  version: new Option('--version <version>', 'Only devices that run this version'),
} as const;

export interface FilterOptions {
  readonly status?: DeviceStatus | undefined;
  readonly failed?: true | undefined;
  readonly group?: string | undefined;
  readonly label?: string | undefined;
  readonly version?: string | undefined;
}

/** Conditions on devices, in the form in which the server evaluates them. */
export type DeviceConditions = Exclude<DeviceSet, { readonly macs: unknown }>;

export function conditionsOf({ status, failed, group, label, version }: FilterOptions): DeviceConditions {
  return { status: failed === true ? 'failed' : status, group, label, version };
}

export function hasConditions(options: FilterOptions): boolean {
  return Object.values(conditionsOf(options)).some((value) => value !== undefined);
}
