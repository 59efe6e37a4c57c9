import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { hookOf, hookState } from '../../init/hook-line.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { platformioOf, settingsOf, type World } from '../world.ts';

/** Checks that every environment for an ESP8266 runs the hook early enough and that the hook's file exists. */
export const platformioHook: Check = {
  about: 'platformio.ini runs the hook',
  run: (world) => {
    const found = platformioOf(world);
    if (found === undefined) return [];
    if (found.sections.length === 0) return [{ level: 'note', says: 'platformio.ini has no environment yet' }];
    const findings = found.sections.flatMap((section) => ofSection(world, section));
    return findings.length > 0 ? findings : [{ level: 'ok', says: 'every environment for an ESP8266 runs the hook' }];
  },
};

function ofSection(world: World, section: string): readonly DoctorFinding[] {
  const { ini } = platformioOf(world) ?? {};
  if (ini === undefined) return [];
  switch (hookState(ini, section)) {
    case 'absent':
      return [withoutHook(world, section)];
    case 'late': {
      const says = `platformio.ini: [${section}] runs the hook too late to reach the libraries; its builds fail`;
      return [{ level: 'error', says, mend: 'Put pre: before its path in extra_scripts' }];
    }
    case 'hooked':
      return missingFile(world, (hookOf(ini, section) ?? '').replace(/^pre:/, ''), section);
  }
}

function withoutHook(world: World, section: string): DoctorFinding {
  const settings = settingsOf(world);
  const hasKeys = settings?.privateKey !== undefined || settings?.publicKey !== undefined;
  const says = `platformio.ini: [${section}] does not run the hook: its builds are not signed`;
  return { level: hasKeys ? 'error' : 'note', says, mend: 'ota-hooks init puts it in' };
}

/** Reports a missing hook file. With SCons before 4.6, PlatformIO ignores a script that does not exist. */
function missingFile(world: World, script: string, section: string): readonly DoctorFinding[] {
  const folder = world.project?.folder ?? world.folder;
  // A path with SCons variables is known only during the build.
  if (script.includes('$') || existsSync(isAbsolute(script) ? script : join(folder, script))) return [];
  const says = `platformio.ini: the hook of [${section}] is not there: ${script}`;
  const mend = 'npm install in the project; an old PlatformIO (up to 6.1.11) would build without it, unsigned';
  return [{ level: 'error', says, mend }];
}
