import * as v from 'valibot';
import { type DeviceFacts, deviceFactsSchema } from './device-facts.ts';
import type { Same } from './fields.ts';
import { type PasswordSource, passwordSource, text } from './secret-source.ts';
import { formFieldPattern, type WebPreset, webPresets } from './web-preset.ts';

/** Connection options of a device. */
export interface DeviceAccess {
  /** Delivery method. `espota` (default): ArduinoOTA in the sketch. `web`: ESP8266HTTPUpdateServer. */
  method?: 'espota' | 'web' | undefined;
  /** Update port of the device. Defaults to 8266 for espota and to 80 for web. */
  port?: number | undefined;
  /** Password that the device requires for updates. */
  password?: PasswordSource | undefined;
  /** Firmware whose web updater is used. Defaults to the form of ESP8266HTTPUpdateServer. */
  preset?: WebPreset | undefined;
  /** Path of the web updater. Defaults to the path of the preset, or to `/update`. */
  path?: string | undefined;
  /** Name of the form field for a sketch. Defaults to the field of the preset, or to `firmware`. */
  field?: string | undefined;
  /** User name for the web updater. Defaults to `admin`. */
  user?: string | undefined;
}

/** Configuration of a device. */
export interface DeviceConfig extends DeviceAccess {
  /** IPv4 address or host name of the device, such as `kitchen.local`. */
  address: string;
  /** Board of the device. Firmware for a different board is rejected. */
  board?: string | undefined;
  /** Group of the device, for `upload --group NAME`. */
  group?: string | undefined;
  /** Known facts about the device. An absent fact is unknown. */
  facts?: Omit<DeviceFacts, 'transport' | 'kind' | 'project' | 'board'> | undefined;
}

/** Default options for devices without their own options. */
export interface UploadConfig extends DeviceAccess {
  /** IPv4 address of this machine for connections from devices. Defaults to the local address of the route to the device. */
  hostIp?: string | undefined;
  /** TCP port of this machine that devices connect to for espota updates. Defaults to any free port. */
  hostPort?: number | undefined;
  /** Number of devices updated at the same time. Defaults to 100. */
  concurrency?: number | undefined;
  /** Maximum number of attempts per upload if the network fails. Defaults to 3. */
  attempts?: number | undefined;
  /**
   * Confirmation level after an update. `none` (default): no confirmation. `returned`: the device responds again. `proven`: the device
   * reports the MD5 of the new sketch.
   */
  confirm?: 'none' | 'returned' | 'proven' | undefined;
}

const method = v.pipe(
  v.picklist(['espota', 'web'], 'must be espota or web'),
  v.description('espota (default): ArduinoOTA in the sketch. web: ESP8266HTTPUpdateServer.'),
);
const port = v.pipe(
  v.number('must be a port from 1 to 65535'),
  v.integer('must be a port from 1 to 65535'),
  v.minValue(1, 'must be a port from 1 to 65535'),
  v.maxValue(65535, 'must be a port from 1 to 65535'),
);
const count = v.pipe(
  v.number('must be a positive integer'),
  v.integer('must be a positive integer'),
  v.minValue(1, 'must be a positive integer'),
);

/** Connection options: for one device, or as defaults for all devices. */
const reached = {
  method: v.optional(method),
  port: v.optional(v.pipe(port, v.description('Port of the device (default: 8266 for espota, 80 for web).'))),
  password: v.optional(
    v.pipe(
      passwordSource,
      v.description('Password that the device requires for updates: {"env": …}, {"file": …} or {"prompt": true}.'),
    ),
  ),
  preset: v.optional(
    v.pipe(
      v.picklist(webPresets, `must be one of: ${webPresets.join(', ')}`),
      v.description('web: firmware whose updater is used (default: the form of ESP8266HTTPUpdateServer).'),
    ),
  ),
  path: v.optional(
    v.pipe(
      text,
      v.regex(/^\//, 'must begin with a slash'),
      v.description('web: path of the update form (default: the path of the preset, or /update).'),
    ),
  ),
  field: v.optional(
    v.pipe(
      text,
      v.regex(formFieldPattern, 'must consist of letters, digits, dots, dashes, underscores and brackets'),
      v.description('web: name of the form field for a sketch (default: the field of the preset, or firmware).'),
    ),
  ),
  user: v.optional(v.pipe(text, v.description('web: user (default: admin).'))),
};

const deviceSchema = v.strictObject({
  address: v.pipe(
    text,
    v.regex(/^[^\s,/:]+$/, 'must be an IPv4 address or a name such as kitchen.local'),
    v.description('IPv4 address, or a name such as kitchen.local.'),
  ),
  ...reached,
  board: v.optional(v.pipe(text, v.description('Board of the device; firmware for a different board is rejected.'))),
  group: v.optional(v.pipe(text, v.description('Group of the device, for upload --group NAME.'))),
  facts: v.optional(
    v.pipe(
      v.omit(deviceFactsSchema, ['transport', 'kind', 'project', 'board']),
      v.description(
        'Known facts about the device: core, flashMode, chipSizeBytes, fsStart, fsEnd, … An absent fact is unknown.',
      ),
    ),
  ),
});

/** Device name for the command line, as in `--host kitchen,cellar`. */
const deviceName = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    'is not a valid device name; use letters, digits, dots, dashes and underscores',
  ),
);

/** @internal */
export const devicesSchema = v.record(deviceName, deviceSchema, 'must be an object with device names as keys');

/** @internal */
export const uploadSchema = v.strictObject({
  ...reached,
  hostIp: v.optional(
    v.pipe(
      text,
      v.ipv4('must be an IPv4 address'),
      v.description(
        'IPv4 address of this machine that devices can reach (default: the address of the route to the device).',
      ),
    ),
  ),
  hostPort: v.optional(
    v.pipe(
      port,
      v.description(
        'espota: TCP port of this machine that the device connects to, for a firewall (default: any free port).',
      ),
    ),
  ),
  concurrency: v.optional(
    v.pipe(count, v.description('Number of devices that are updated at the same time (default: 100).')),
  ),
  attempts: v.optional(
    v.pipe(count, v.description('Number of attempts per upload if the network fails (default: 3).')),
  ),
  confirm: v.optional(
    v.pipe(
      v.picklist(['none', 'returned', 'proven'], 'must be none, returned or proven'),
      v.description(
        'returned: wait until the device responds again. proven: wait until it reports the MD5 of the new sketch. Default: none.',
      ),
    ),
  ),
});

true satisfies Same<Record<string, DeviceConfig>, v.InferOutput<typeof devicesSchema>>;
true satisfies Same<UploadConfig, v.InferOutput<typeof uploadSchema>>;
