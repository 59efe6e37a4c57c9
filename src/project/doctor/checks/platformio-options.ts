import { effectiveOptions, effectiveValue } from '../../build/platformio-ini.ts';
import { platformioOptions } from '../../build/platformio-options.ts';
import type { Check, Finding } from '../check.ts';
import { nearest } from '../spelling.ts';
import { platformioOf } from '../world.ts';

/** Options of platformio.ini that do not do what they look like. */
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

/** Our hook refuses what it does not know; all else PlatformIO passes over. */
function misspelt(name: string, section: string): readonly Finding[] {
  if (platformioOptions.includes(name)) return [];
  const meant = nearest(name, platformioOptions, name.startsWith('custom_ota_') ? 6 : 3);
  const isOurs = name.startsWith('custom_ota_');
  if (meant === undefined && !isOurs) return [];
  const says = `platformio.ini: [${section}] has ${name}, which ${isOurs ? 'the hook refuses' : 'nobody reads'}`;
  const mend = meant === undefined ? `Known are: ${platformioOptions.join(', ')}` : `Write ${meant}`;
  return [{ level: isOurs ? 'error' : 'warning', says, mend }];
}

/** The platform asks only whether the option has a text. */
function gzipFirmware(value: string | undefined, section: string): readonly Finding[] {
  if (value === undefined || !/^(?:no|false|off|0)$/i.test(value)) return [];
  const says = `platformio.ini: board_build.gzip_fw = ${value} in [${section}] makes firmware.bin a gzip all the same`;
  return [{ level: 'warning', says, mend: 'Take the line out; compressed artifacts are made without it' }];
}

/** The core's stub defines ARDUINO_SIGNING again, and wins. */
function includedHeader(flags: string | undefined, section: string): readonly Finding[] {
  if (!/-include\s+\S*Updater_Signing\.h/.test(flags ?? '')) return [];
  const says = `platformio.ini: [${section}] brings Updater_Signing.h in by -include, which the core overrules: nothing is signed`;
  return [{ level: 'error', says, mend: 'Take it out of build_flags; the hook puts the header on the include path' }];
}
