import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { flashLayoutByName } from '../../core/firmware/flash-layout.ts';
import { flashMapAddress } from '../../core/firmware/memory-map.ts';
import { type DeviceFacts, readDeviceFacts } from '../../core/model/device-facts.ts';
import { OtaError } from '../../errors/ota-error.ts';

/** Facts about a device from the command line; see {@link DeviceFacts}. */
export interface DeviceOptions {
  readonly core?: string | undefined;
  readonly signing?: string | undefined;
  readonly keyFingerprint?: string | undefined;
  readonly format?: string | undefined;
  readonly flashMode?: string | undefined;
  readonly chipSize?: number | undefined;
  readonly layout?: string | undefined;
  readonly fsStart?: number | undefined;
  readonly fsEnd?: number | undefined;
  readonly sketchSize?: number | undefined;
  readonly transport?: string | undefined;
  readonly atomicFs?: boolean | undefined;
  readonly kind?: string | undefined;
  readonly project?: string | undefined;
  readonly board?: string | undefined;
}

/** One option per fact, for commands that need facts about a device. */
export const deviceOptions = {
  core: new Option('--core <release>', 'Core of the running sketch, such as 3.1.2'),
  signing: new Option('--signing <what>', 'Whether the device verifies signatures').choices(['none', 'required']),
  keyFingerprint: new Option('--key-fingerprint <hex>', 'SHA-256 of the public key on the device (DER)'),
  format: new Option('--format <format>', 'Signature format that the device accepts').choices(['current', 'legacy']),
  flashMode: new Option('--flash-mode <mode>', 'Flash mode in the header of the running sketch').choices([
    'qio',
    'qout',
    'dio',
    'dout',
  ]),
  chipSize: new Option('--chip-size <bytes>', 'Size of the flash chip, such as 4M or 0x400000').argParser(bytes),
  layout: new Option('--layout <name>', 'Flash layout, such as 4m2m; sets --fs-start, --fs-end and --chip-size'),
  fsStart: new Option('--fs-start <offset>', 'Start of the filesystem (_FS_start)').argParser(offset),
  fsEnd: new Option('--fs-end <offset>', 'End of the filesystem (_FS_end)').argParser(offset),
  sketchSize: new Option('--sketch-size <bytes>', 'Size of the running sketch').argParser(bytes),
  transport: new Option('--transport <way>', 'Transport of the update').choices(['espota', 'web', 'http']),
  atomicFs: new Option('--atomic-fs', 'Running sketch was built with ATOMIC_FS_UPDATE'),
  noAtomicFs: new Option('--no-atomic-fs', 'Running sketch was built without ATOMIC_FS_UPDATE'),
  kind: new Option('--kind <kind>', 'Kind of update that the device expects').choices(['sketch', 'filesystem']),
  project: new Option('--project <name>', 'Project of the running sketch'),
  board: new Option('--board <name>', 'Board of the device'),
} as const;

/**
 * Returns the facts from the options.
 *
 * @throws OtaError FACTS_INVALID, USAGE
 */
export function factsOfOptions(options: DeviceOptions): DeviceFacts {
  const { core, layout: script, signing, keyFingerprint, format, flashMode, transport, atomicFs, kind } = options;
  const layout = script === undefined ? undefined : flashLayoutByName(script, core);
  if (script !== undefined && layout === undefined) {
    throw new OtaError('USAGE', {
      message: `--layout ${script}: the core has no such flash layout${core === undefined ? '' : `, or not in ${core}`}`,
      hint: 'Layouts have the names of the linker scripts, such as 1m64 or 4m2m; or give --fs-start and --fs-end.',
    });
  }
  const given = {
    core,
    signing,
    keyFingerprint: keyFingerprint?.toLowerCase(),
    format,
    flashMode,
    chipSizeBytes: options.chipSize ?? layout?.flashSizeBytes,
    fsStart: options.fsStart ?? layout?.fsStart,
    fsEnd: options.fsEnd ?? layout?.fsEnd,
    sketchSizeBytes: options.sketchSize,
    transport,
    atomicFs,
    kind,
    project: options.project,
    board: options.board,
  };
  const read = readDeviceFacts(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
  if ('problems' in read) throw new OtaError('FACTS_INVALID', { path: 'the command line', problems: read.problems });
  return read.facts;
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 * 1024 };

/** Parses a number of bytes: 1048576, 0x100000, 1024K or 1M. */
function bytes(value: string): number {
  const [, hex, decimal, unit = ''] = /^(?:0x([0-9a-f]{1,8})|(\d{1,9})(k|m|)b?)$/i.exec(value) ?? [];
  if (hex !== undefined) return Number.parseInt(hex, 16);
  if (decimal !== undefined) return Number(decimal) * (units[unit.toLowerCase()] ?? 1);
  throw new InvalidArgumentError('a number of bytes is wanted, such as 4194304, 0x400000 or 4M');
}

/** Parses a flash offset; also accepts the address that the linker uses for it. */
function offset(value: string): number {
  const number = bytes(value);
  return number >= flashMapAddress ? number - flashMapAddress : number;
}
