import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { hookOf, hookState } from '../../init/hook-line.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, platformioOf, settingsOf } from '../context.ts';

/** Checks that the hook file exists and that every ESP8266 environment runs the hook early enough. */
export const platformioHook: Check = (context) => {
  const found = platformioOf(context);
  if (found === undefined) return [];
  if (found.sections.length === 0) return [{ level: 'note', message: 'platformio.ini has no environment' }];
  const findings = found.sections.flatMap((section) => ofSection(context, section));
  return findings.length > 0
    ? findings
    : [{ level: 'ok', message: 'Every ESP8266 environment in platformio.ini runs the hook' }];
};

function ofSection(context: CheckContext, section: string): readonly DoctorFinding[] {
  const { ini } = platformioOf(context) ?? {};
  if (ini === undefined) return [];
  switch (hookState(ini, section)) {
    case 'absent':
      return [withoutHook(context, section)];
    case 'late': {
      const message = `platformio.ini: [${section}] runs the hook too late to affect the libraries, so its builds fail`;
      return [{ level: 'error', message, fix: 'Put pre: before the hook path in extra_scripts' }];
    }
    case 'hooked':
      return missingFile(context, (hookOf(ini, section) ?? '').replace(/^pre:/, ''), section);
  }
}

function withoutHook(context: CheckContext, section: string): DoctorFinding {
  const settings = settingsOf(context);
  const hasKeys = settings?.privateKey !== undefined || settings?.publicKey !== undefined;
  const message = `platformio.ini: [${section}] does not run the hook, so its builds are not signed`;
  return { level: hasKeys ? 'error' : 'note', message, fix: 'Run ota-hooks init to add it' };
}

/** Reports a missing hook file. With SCons before 4.6, PlatformIO ignores a missing script. */
function missingFile(context: CheckContext, script: string, section: string): readonly DoctorFinding[] {
  const folder = context.project?.folder ?? context.folder;
  // A path with SCons variables can be resolved only during the build.
  if (script.includes('$') || existsSync(isAbsolute(script) ? script : join(folder, script))) return [];
  const message = `platformio.ini: the hook of [${section}] does not exist: ${script}`;
  const fix =
    'Run npm install in the project; PlatformIO 6.1.11 and earlier would build unsigned firmware without the file';
  return [{ level: 'error', message, fix }];
}
