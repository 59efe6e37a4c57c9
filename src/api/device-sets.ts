import * as v from 'valibot';
import { type DeepReadonly, printable } from '../core/model/fields.ts';
import { deviceStatuses } from './admin-info.ts';
import { firmwareVersion, resourceName } from './release.ts';
import { deviceLabels, deviceRequestSchema, mac } from './release-admin.ts';

/** Requests about several devices. Each request handles a page of devices and may be repeated. */

/** Maximum number of devices per request. */
export const mostDevicesAtOnce = 1000;

const shortText = v.pipe(v.string(), v.maxLength(64, 'must be at most 64 characters'), printable);

/** Conditions on devices; all of them must match. */
export const deviceFilterEntries = {
  status: v.optional(v.picklist(deviceStatuses, `must be ${deviceStatuses.join(', ')}`)),
  group: v.optional(resourceName),
  label: v.optional(resourceName),
  /** Version that the device runs, if it was recognized. */
  version: v.optional(firmwareVersion),
  /** Exact display name. */
  name: v.optional(shortText),
  /** Part of a name, or of a MAC with or without colons. */
  text: v.optional(shortText),
};

/** Conditions on devices, for example those of a list. */
const deviceFilterSchema = v.strictObject({
  ...deviceFilterEntries,
  /** True for devices that have run an update sent by this server. */
  proven: v.optional(v.boolean()),
});

const macsSchema = v.pipe(
  v.array(mac),
  v.maxLength(mostDevicesAtOnce, `must have at most ${mostDevicesAtOnce} entries`),
);

/** Devices by their MACs, or by conditions. */
const deviceSetSchema = v.union([v.strictObject({ macs: macsSchema }), deviceFilterSchema]);
export type DeviceSet = DeepReadonly<v.InferOutput<typeof deviceSetSchema>>;

/** MAC after which the page begins: the value of `next` in the previous response. */
const after = v.optional(shortText);

const { enrolled, board, channel, group, labels, pin } = deviceRequestSchema.entries;

/** Change of the settings of devices. With `enrolled: true`, MACs without a record are added. */
export const changeDevicesRequestSchema = v.strictObject({
  devices: deviceSetSchema,
  after,
  change: v.strictObject({ enrolled, board, channel, group, labels, pin }),
});
export type ChangeDevicesRequest = v.InferInput<typeof changeDevicesRequestSchema>;

/** Retry of the failed and interrupted updates of devices. */
export const retryDevicesRequestSchema = v.strictObject({ devices: deviceSetSchema, after });

/** Result for one page of devices. */
export const deviceSetResponseSchema = v.strictObject({
  /** Number of devices that the request is about. */
  matched: v.number(),
  /** Number of devices that were changed; the others were already as requested. */
  changed: v.number(),
  /** MACs without a record, which were not changed. */
  unknown: v.array(v.string()),
  /** Present if there are further devices. */
  next: v.optional(v.string()),
});

/** Row of a device table. An absent key leaves the value unchanged. */
export const importedDeviceSchema = v.strictObject({
  mac,
  name: v.optional(shortText),
  board: v.optional(shortText),
  channel: v.optional(resourceName),
  group: v.optional(resourceName),
  labels: v.optional(deviceLabels),
  pin: v.optional(firmwareVersion),
  /** Name for a device that has none. */
  defaultName: v.optional(shortText),
});
export type ImportedDevice = v.InferInput<typeof importedDeviceSchema>;

/** Part of a device table. Its devices are enrolled, and their settings are changed. */
export const importRequestSchema = v.strictObject({
  devices: v.pipe(
    v.array(importedDeviceSchema),
    v.maxLength(mostDevicesAtOnce, `must have at most ${mostDevicesAtOnce} entries`),
  ),
  /** True to return what the import would change, without changing it. */
  dryRun: v.optional(v.boolean(), false),
});
export type ImportRequest = v.InferInput<typeof importRequestSchema>;

const importChanges = ['added', 'changed', 'unchanged'] as const;
export const importedDeviceInfoSchema = v.strictObject({
  mac: v.string(),
  change: v.picklist(importChanges),
  /** Names of the fields that change. */
  fields: v.array(v.string()),
});
export type ImportedDeviceInfo = DeepReadonly<v.InferOutput<typeof importedDeviceInfoSchema>>;

export const importResponseSchema = v.strictObject({
  devices: v.array(importedDeviceInfoSchema),
  /** Aliases of the project that other projects share. They serve only devices that are enrolled or recognized. */
  sharedAliases: v.array(v.string()),
});
