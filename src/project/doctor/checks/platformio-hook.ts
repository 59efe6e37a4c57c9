import { relativePath } from '../../../files/relative-path.ts';
import type { ProjectEnvironment } from '../../build/hooked-environments.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, platformioOf, settingsOf } from '../context.ts';

/** Checks that the hook file exists and that every ESP8266 environment runs the hook early enough. */
export const platformioHook: Check = (context) => {
  const found = platformioOf(context);
  if (found === undefined) return [];
  const { environments, esp8266, files } = found;
  if (environments.length === 0) return [{ level: 'note', message: 'platformio.ini has no environment' }];
  const unknown = environments.filter(({ chip, hook }) => chip === 'unknown' && hook.state !== 'hooked');
  const findings = [
    ...esp8266.flatMap((environment) => ofEnvironment(context, environment)),
    ...unknown.map(ofUnknown),
    ...files.unreadable.map(({ path, reason }): DoctorFinding => {
      const message = `PlatformIO skips ${context.path(path)} in extra_configs, which cannot be read (${reason})`;
      return { level: 'warning', message, fix: 'Make the file readable, or remove it from extra_configs' };
    }),
  ];
  return findings.length > 0 ? findings : [summary(esp8266)];
};

function summary(esp8266: readonly ProjectEnvironment[]): DoctorFinding {
  if (esp8266.length === 0) return { level: 'note', message: 'platformio.ini has no ESP8266 environment' };
  return { level: 'ok', message: 'Every ESP8266 environment in platformio.ini runs the hook' };
}

function ofEnvironment(context: CheckContext, { name, hook, path }: ProjectEnvironment): readonly DoctorFinding[] {
  const file = relativePath(context.project?.folder ?? context.folder, path);
  switch (hook.state) {
    case 'absent': {
      const message = `${file}: [env:${name}] does not run the hook, so its builds are not signed`;
      return [{ level: hasKeys(context) ? 'error' : 'note', message, fix: 'Run ota-hooks init to add it' }];
    }
    case 'late': {
      const message = `${file}: [env:${name}] runs the hook too late to affect the libraries, so its builds fail`;
      return [{ level: 'error', message, fix: 'Put pre: before the hook path in extra_scripts' }];
    }
    case 'missing': {
      // With SCons before 4.6, PlatformIO ignores a missing script.
      const message = `${file}: the hook of [env:${name}] does not exist: ${(hook.script ?? '').replace(/^pre:/, '')}`;
      const fix =
        'Run npm install in the project; PlatformIO 6.1.11 and earlier would build unsigned firmware without the file';
      return [{ level: 'error', message, fix }];
    }
    case 'hooked':
      return [];
  }
}

function ofUnknown({ name, options }: ProjectEnvironment): DoctorFinding {
  const message = `platformio.ini: [env:${name}] does not run the hook, and its chip is unknown (platform ${options.get('platform') ?? 'none'})`;
  return {
    level: 'warning',
    message,
    fix: 'Run ota-hooks init, and confirm the environment if it builds for the ESP8266',
  };
}

function hasKeys(context: CheckContext): boolean {
  const { privateKey, publicKey } = settingsOf(context) ?? {};
  return privateKey !== undefined || publicKey !== undefined;
}
