import * as v from 'valibot';
import { type DeviceFacts, deviceFactsSchema } from './device-facts.ts';
import type { Same } from './fields.ts';
import { type PasswordSource, passwordSource, text } from './secret-source.ts';

/** How to reach a device. */
export interface DeviceAccess {
  /** `espota` (default): ArduinoOTA in the sketch. `web`: ESP8266HTTPUpdateServer. */
  method?: 'espota' | 'web' | undefined;
  /** Port of the device; by default 8266 for espota and 80 for web. */
  port?: number | undefined;
  /** Password for updating the device. */
  password?: PasswordSource | undefined;
  /** web: `/update` by default. */
  path?: string | undefined;
  /** web: `admin` by default. */
  user?: string | undefined;
}

/** A device in the project. */
export interface DeviceConfig extends DeviceAccess {
  /** IPv4 address, or a name such as `kitchen.local`. */
  address: string;
  /** Firmware for another board is rejected. */
  board?: string | undefined;
  /** Group for `upload --group NAME`. */
  group?: string | undefined;
  /** Known facts about the device; an absent fact is unknown. */
  facts?: Omit<DeviceFacts, 'transport' | 'kind' | 'project' | 'board'> | undefined;
}

/** Defaults for devices that do not set these options themselves. */
export interface UploadConfig extends DeviceAccess {
  /** IPv4 address at which devices can reach this machine; by default, the local address of the route to the device. */
  hostIp?: string | undefined;
  /** espota: TCP port of this machine that the device connects to; any free port by default. */
  hostPort?: number | undefined;
  /** Number of devices updated at the same time; 100 by default. */
  concurrency?: number | undefined;
  /** Maximum number of attempts per upload if the network fails; 3 by default. */
  attempts?: number | undefined;
  /** `returned`: wait until the device responds again. `proven`: until it reports the MD5 of the new sketch. `none` by default. */
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

/** Options for reaching a device: for one device, or as defaults for all devices. */
const reached = {
  method: v.optional(method),
  port: v.optional(v.pipe(port, v.description('Port of the device (default: 8266 for espota, 80 for web).'))),
  password: v.optional(
    v.pipe(
      passwordSource,
      v.description('Password for updates of the device: {"env": …}, {"file": …} or {"prompt": true}.'),
    ),
  ),
  path: v.optional(
    v.pipe(
      text,
      v.regex(/^\//, 'must begin with a slash'),
      v.description('web: path of the update page (default: /update).'),
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

/** Name of a device on the command line: `--host kitchen,cellar`. */
const deviceName = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    'is not a valid name for a device; use letters, digits, dots, dashes and underscores',
  ),
);

/** @internal */
export const devicesSchema = v.record(deviceName, deviceSchema, 'must be an object with the names of devices as keys');

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
