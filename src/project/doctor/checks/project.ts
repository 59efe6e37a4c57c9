import { OtaError } from '../../../errors/ota-error.ts';
import type { Config } from '../../config/schema.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { settingsOf } from '../world.ts';

/** Reports which project was found and whether its configuration can be read. */
export const project: Check = {
  about: 'the configuration can be read, and what it names is there',
  run: (world) => {
    const { project: found, settings } = world;
    if (found === undefined) {
      const says = `no PlatformIO project and no sketch in ${world.folder}: only this machine is looked at`;
      return [{ level: 'note', says }];
    }
    if (settings instanceof OtaError) return [{ level: 'error', says: settings.message, mend: settings.hint }];
    const kind = found.system === 'platformio' ? 'PlatformIO project' : 'sketch';
    const name = settings?.configPath === undefined ? 'without a configuration' : world.path(settings.configPath);
    return [
      { level: 'ok', says: `${kind} in ${world.path(found.folder)}, ${name}` },
      ...missingVariables(world.env, settingsOf(world)?.config ?? {}),
    ];
  },
};

/** Reports unset variables that builds read. Passwords of devices are needed only for an upload. */
function missingVariables(env: Readonly<Record<string, string | undefined>>, config: Config): readonly DoctorFinding[] {
  return (['version', 'privateKey', 'publicKey', 'passphrase'] as const).flatMap((key): DoctorFinding[] => {
    const source = config[key];
    if (typeof source !== 'object' || !('env' in source)) return [];
    if ((env[source.env] ?? '') !== '') return [];
    const says = `"${key}" is to come from the environment variable ${source.env}, which is not set here`;
    return [{ level: 'warning', says, mend: `Set ${source.env} where builds run` }];
  });
}
