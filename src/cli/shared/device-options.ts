import { type Command, Option, type OptionValues } from '@commander-js/extra-typings';
import { flashLayoutByName, layoutNames } from '../../core/firmware/flash-layout.ts';
import { flashMapAddress } from '../../core/firmware/memory-map.ts';
import { type DeviceFacts, readDeviceFacts } from '../../core/model/device-facts.ts';
import { didYouMean } from '../../core/model/nearest-names.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { flashModeOption } from './flash-mode-option.ts';
import { size } from './option-values.ts';

/** Adds an option for each device fact except the transport and the kind. The transport and the kind depend on the update. */
export function withDeviceOptions<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) {
  return command
    .option('--core <release>', 'Core of the running sketch, such as 3.1.2')
    .addOption(
      new Option('--signing <what>', 'Signature check that the device performs').choices(['none', 'required'] as const),
    )
    .option('--key-fingerprint <hex>', 'SHA-256 of the public key on the device (DER)')
    .addOption(
      new Option('--format <format>', 'Signature format that the device accepts').choices(['current', 'legacy']),
    )
    .addOption(flashModeOption('Flash mode in the header of the running sketch'))
    .option('--chip-size <size>', 'Size of the flash chip, such as 4M or 0x400000', size)
    .option('--layout <name>', 'Flash layout, such as 4m2m; sets --fs-start, --fs-end and --chip-size')
    .option('--fs-start <offset>', 'Start of the filesystem (_FS_start)', flashOffset)
    .option('--fs-end <offset>', 'End of the filesystem (_FS_end)', flashOffset)
    .option('--sketch-size <size>', 'Size of the running sketch', size)
    .option('--flash-map', 'Running sketch was built with FLASH_MAP_SUPPORT')
    .option('--no-flash-map', 'Running sketch was built without FLASH_MAP_SUPPORT')
    .option('--atomic-fs', 'Running sketch was built with ATOMIC_FS_UPDATE')
    .option('--no-atomic-fs', 'Running sketch was built without ATOMIC_FS_UPDATE')
    .option('--project <name>', 'Project of the running sketch')
    .option('--board <name>', 'Board of the device');
}

/** Options for device facts, and for the transport and kind of the update. */
export type DeviceOptions = ReturnType<ReturnType<typeof withDeviceOptions<[], Record<never, never>>>['opts']> &
  Pick<DeviceFacts, 'transport' | 'kind'>;

/**
 * Converts command-line options to device facts.
 *
 * @throws OtaError FACTS_INVALID, OPTION_INVALID
 */
export function factsOfOptions(options: DeviceOptions): DeviceFacts {
  const {
    core,
    layout: script,
    signing,
    keyFingerprint,
    format,
    flashMode,
    transport,
    flashMap,
    atomicFs,
    kind,
  } = options;
  const layout = script === undefined ? undefined : flashLayoutByName(script, core);
  if (script !== undefined && layout === undefined) {
    throw new OtaError('OPTION_INVALID', {
      option: '--layout',
      value: script,
      expected: `must be a flash layout of ${core === undefined ? 'the core' : `core ${core}`}`,
      hint: `${didYouMean(script, layoutNames(core))}Use the name of a linker script, such as 1m64 or 4m2m, or pass --fs-start and --fs-end.`,
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
    flashMap,
    atomicFs,
    kind,
    project: options.project,
    board: options.board,
  };
  const read = readDeviceFacts(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)));
  if ('problems' in read) throw new OtaError('FACTS_INVALID', { path: 'the command line', problems: read.problems });
  return read.facts;
}

/** Parses a flash offset. Also accepts an address in the range where the ESP8266 maps flash into memory. */
function flashOffset(value: string): number {
  const offset = size(value);
  return offset >= flashMapAddress ? offset - flashMapAddress : offset;
}
