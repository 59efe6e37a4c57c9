import { nearestNames } from '../../../core/model/nearest-names.ts';
import { platformioOptions } from '../../build/platformio-options.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { platformioOf } from '../context.ts';

/** Checks platformio.ini for options with an unexpected effect. */
export const platformioOptionNames: Check = (context) => {
  const found = platformioOf(context);
  if (found === undefined) return [];
  const findings = found.esp8266.flatMap(({ name: environment, options }) => {
    const section = `env:${environment}`;
    return [
      ...[...options.keys()].flatMap((name) => [...notIndented(name, section), ...misspelled(name, section)]),
      ...gzipFirmware(options.get('board_build.gzip_fw'), section),
      ...includedHeader(options.get('build_flags'), section),
    ];
  });
  return findings.length > 0 ? findings : [{ level: 'ok', message: 'The options in platformio.ini are valid' }];
};

/** Reports misspelled options. The hook rejects unrecognized `custom_ota_` options; PlatformIO ignores all other unrecognized options. */
function misspelled(name: string, section: string): readonly DoctorFinding[] {
  if (platformioOptions.includes(name)) return [];
  const isOurs = name.startsWith('custom_ota_');
  const [nearest] = nearestNames(name, platformioOptions, isOurs ? 6 : 3);
  if (nearest === undefined && !isOurs) return [];
  const message = `platformio.ini: [${section}] sets ${name}, which ${isOurs ? 'the hook rejects' : 'has no effect'}`;
  const fix = nearest === undefined ? `Use one of ${platformioOptions.join(', ')}` : `Rename it to ${nearest}`;
  return [{ level: isOurs ? 'error' : 'warning', message, fix }];
}

/** Reports a line of `upload_flags` that is not indented. PlatformIO reads the line as an option of its own and ignores it. */
function notIndented(name: string, section: string): readonly DoctorFinding[] {
  const [flag = ''] = name.split(/\s/);
  if (!flag.startsWith('-')) return [];
  const message = `platformio.ini: PlatformIO ignores the line ${flag} in [${section}], because it is not indented`;
  return [{ level: 'error', message, fix: 'Indent all lines below upload_flags' }];
}

/** Reports values such as `no`, because the platform checks only whether the option is non-empty. */
function gzipFirmware(value: string | undefined, section: string): readonly DoctorFinding[] {
  if (value === undefined || !/^(?:no|false|off|0)$/i.test(value)) return [];
  const message = `platformio.ini: board_build.gzip_fw = ${value} in [${section}] still compresses firmware.bin, because any value enables it`;
  return [{ level: 'warning', message, fix: 'Remove the line; the hook creates compressed artifacts without it' }];
}

/** Reports a header in `build_flags`. The core's stub redefines ARDUINO_SIGNING, which overrides this header. */
function includedHeader(flags: string | undefined, section: string): readonly DoctorFinding[] {
  if (!/-include\s+\S*Updater_Signing\.h/.test(flags ?? '')) return [];
  const message = `platformio.ini: [${section}] includes Updater_Signing.h through build_flags, which the core overrides: the firmware does not verify updates`;
  return [{ level: 'error', message, fix: 'Remove it from build_flags; the hook adds the header to the include path' }];
}
