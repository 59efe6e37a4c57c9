import type { DeviceConfig } from '../../core/model/inventory-schema.ts';
import { projectRules } from '../../core/preflight/project-rules.ts';
import type { KeyEntry } from './keys-schema.ts';
import type { Config } from './schema.ts';

/** Rule that the schema cannot express, such as a rule that involves several keys. */
interface ConfigRule {
  readonly name: string;
  /** Problems, each prefixed with the key. Values of other keys may be invalid, because rules always run. */
  readonly problems: (config: Config) => readonly string[];
}

/** Ends a message about a rule that a project cannot allow. */
const notAllowable =
  'is not a rule that a project can allow (docs/never-brick.md lists them; rules about proof, keys and signatures need --allow on the command line)';

export const configRules: readonly ConfigRule[] = [
  {
    name: 'compressed-filesystem-requires-compression',
    problems: ({ signCompressedFilesystem, compression }) =>
      signCompressedFilesystem === true && compression === 'none'
        ? ['signCompressedFilesystem cannot be true while "compression" is "none"']
        : [],
  },
  {
    name: 'passphrase-requires-private-key',
    problems: ({ passphrase, privateKey }) =>
      passphrase !== undefined && privateKey === undefined ? ['passphrase requires "privateKey"'] : [],
  },
  {
    name: 'one-statement-of-the-signing-key',
    problems: ({ publicKey, keys }) =>
      publicKey !== undefined && entriesOf(keys).some(({ role }) => role === 'signing')
        ? ['publicKey cannot be set while "keys" lists a signing key']
        : [],
  },
  {
    name: 'exactly-one-signing-key',
    problems: ({ publicKey, keys }) => {
      const list = entriesOf(keys);
      const count = list.filter(({ role }) => role === 'signing').length;
      if (count > 1) return [`keys must list exactly one key with the role signing, not ${count}`];
      return list.length > 0 && count === 0 && publicKey === undefined
        ? ['keys must list exactly one key with the role signing']
        : [];
    },
  },
  {
    name: 'unique-keys',
    problems: ({ keys }) =>
      (['name', 'fingerprint'] as const).flatMap((field) => {
        const values = entriesOf(keys).map((entry) => entry[field]);
        return values.flatMap((value, at) =>
          values.indexOf(value) < at
            ? [`keys[${at}].${field} must differ from keys[${values.indexOf(value)}].${field}`]
            : [],
        );
      }),
  },
  {
    name: 'guard-excludes-declared-enforcement',
    problems: ({ guard, enforcement }) =>
      guard !== undefined && enforcement === 'declared'
        ? [
            'guard cannot be set while "enforcement" is "declared": a sketch that calls Update.installSignature replaces the guard',
          ]
        : [],
  },
  {
    name: 'required-metadata-is-written',
    problems: ({ guard, metadata }) =>
      guard?.require === 'metadata' && metadata === false
        ? ['metadata cannot be false while guard.require is "metadata": the devices would reject every update']
        : [],
  },
  {
    name: 'publish-after-build-requires-destination',
    problems: ({ publish }) =>
      publish?.afterBuild !== undefined && publish.afterBuild !== false && publish.to === undefined
        ? ['publish.afterBuild requires "to"']
        : [],
  },
  {
    name: 'draft-excludes-channel',
    problems: ({ publish }) =>
      publish?.draft === true && publish.channel !== undefined
        ? ['publish.channel cannot be set while "draft" is true']
        : [],
  },
  {
    name: 'allow-names-project-rules',
    problems: ({ allow }) =>
      Object.keys(allow ?? {})
        .filter((rule) => !projectRules.some((id) => id === rule))
        .map((rule) => `allow.${rule} ${notAllowable}`),
  },
  {
    name: 'unique-device-addresses',
    problems: (config) => {
      const seen = new Map<string, string>();
      return devicesOf(config).flatMap(([name, { address, port, method }]) => {
        const place = [
          String(address).toLowerCase(),
          port ?? config.upload?.port,
          method ?? config.upload?.method,
        ].join();
        const other = seen.get(place);
        if (other === undefined) seen.set(place, name);
        return other === undefined ? [] : [`devices.${name} has the same address as devices.${other}`];
      });
    },
  },
  {
    name: 'devices-by-name',
    // The schema accepts an array where an object is required.
    problems: ({ devices }) => (Array.isArray(devices) ? ['devices must be an object with device names as keys'] : []),
  },
  {
    name: 'no-reserved-device-names',
    // The record type of the schema ignores these keys without an error.
    problems: ({ devices }) =>
      ['__proto__', 'prototype', 'constructor']
        .filter((name) => Object.hasOwn(devices ?? {}, name))
        .map((name) => `devices.${name} is not a valid device name`),
  },
  {
    name: 'filesystem-end-after-start',
    problems: (config) =>
      devicesOf(config).flatMap(([name, { facts }]) => {
        const { fsStart = 0, fsEnd = fsStart } = facts ?? {};
        return fsEnd < fsStart ? [`devices.${name}.facts.fsEnd is before fsStart`] : [];
      }),
  },
];

/** Returns the entries that are objects. The schema reports all others. */
function entriesOf(keys: Config['keys']): readonly KeyEntry[] {
  return Array.isArray(keys) ? keys.filter((entry) => typeof entry === 'object' && entry !== null) : [];
}

function devicesOf({ devices }: Config): readonly [string, DeviceConfig][] {
  return Object.entries(devices ?? {}).filter(([, device]) => typeof device?.address === 'string');
}
