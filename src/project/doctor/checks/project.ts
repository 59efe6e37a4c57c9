import { OtaError } from '../../../errors/ota-error.ts';
import type { Config } from '../../config/schema.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { settingsOf } from '../context.ts';

/** Reports the project that was found, and errors in its configuration. */
export const project: Check = (context) => {
  const { project: found, settings, invalid } = context;
  if (invalid !== undefined) return [{ level: 'error', message: invalid.message, fix: invalid.hint }];
  if (found === undefined) {
    const message = `No PlatformIO project or sketch in ${context.folder}: only this machine was checked`;
    return [{ level: 'note', message }];
  }
  if (settings instanceof OtaError) return [{ level: 'error', message: settings.message, fix: settings.hint }];
  const kind = found.system === 'platformio' ? 'PlatformIO project' : 'Sketch';
  const config = settings?.configPath === undefined ? 'no configuration file' : context.path(settings.configPath);
  return [
    { level: 'ok', message: `${kind} in ${context.path(found.folder)}, ${config}` },
    ...missingVariables(context.env, settingsOf(context)?.config ?? {}),
  ];
};

/** Reports unset environment variables that builds read. Device passwords are ignored, because only uploads read them. */
function missingVariables(env: Readonly<Record<string, string | undefined>>, config: Config): readonly DoctorFinding[] {
  return (['version', 'privateKey', 'publicKey', 'passphrase'] as const).flatMap((key): DoctorFinding[] => {
    const source = config[key];
    if (typeof source !== 'object' || !('env' in source)) return [];
    if ((env[source.env] ?? '') !== '') return [];
    const message = `The configuration reads "${key}" from the environment variable ${source.env}, which is not set`;
    return [{ level: 'warning', message, fix: `Set ${source.env} in the build environment` }];
  });
}
