import { closest, distance } from 'fastest-levenshtein';
import { effectiveOptions, effectiveValue } from '../../build/platformio-ini.ts';
import { platformioOptions } from '../../build/platformio-options.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { platformioOf } from '../world.ts';

/** Checks for options of platformio.ini that do not have the effect that their name or value suggests. */
export const platformioOptionNames: Check = {
  about: 'the options of platformio.ini mean what they say',
  run: (world) => {
    const found = platformioOf(world);
    if (found === undefined) return [];
    const { ini, sections } = found;
    const findings = sections.flatMap((section) => [
      ...[...effectiveOptions(ini, section).keys()].flatMap((name) => misspelt(name, section)),
      ...gzipFirmware(effectiveValue(ini, section, 'board_build.gzip_fw'), section),
      ...includedHeader(effectiveValue(ini, section, 'build_flags'), section),
    ]);
    return findings.length > 0 ? findings : [{ level: 'ok', says: 'the options of platformio.ini are spelt well' }];
  },
};

/** Reports misspelled options. The hook rejects unknown `custom_ota_` options; PlatformIO ignores all other unknown options. */
function misspelt(name: string, section: string): readonly DoctorFinding[] {
  if (platformioOptions.includes(name)) return [];
  const isOurs = name.startsWith('custom_ota_');
  const nearest = closest(name, platformioOptions);
  const isNear = distance(name, nearest) <= (isOurs ? 6 : 3);
  if (!isNear && !isOurs) return [];
  const says = `platformio.ini: [${section}] has ${name}, which ${isOurs ? 'the hook refuses' : 'nothing reads'}`;
  const mend = isNear ? `Write ${nearest}` : `Known are: ${platformioOptions.join(', ')}`;
  return [{ level: isOurs ? 'error' : 'warning', says, mend }];
}

/** Reports values such as `no`: the platform checks only whether the option is non-empty. */
function gzipFirmware(value: string | undefined, section: string): readonly DoctorFinding[] {
  if (value === undefined || !/^(?:no|false|off|0)$/i.test(value)) return [];
  const says = `platformio.ini: board_build.gzip_fw = ${value} in [${section}] makes firmware.bin a gzip all the same`;
  return [{ level: 'warning', says, mend: 'Take the line out; compressed artifacts are made without it' }];
}

/** Reports a header in `build_flags`: the core's stub redefines ARDUINO_SIGNING and takes precedence. */
function includedHeader(flags: string | undefined, section: string): readonly DoctorFinding[] {
  if (!/-include\s+\S*Updater_Signing\.h/.test(flags ?? '')) return [];
  const says = `platformio.ini: [${section}] brings Updater_Signing.h in by -include, which the core overrules: nothing is signed`;
  return [{ level: 'error', says, mend: 'Take it out of build_flags; the hook puts the header on the include path' }];
}
