import { posix, win32 } from 'node:path';
import { kindOfVariable, type SourceKind } from '../../core/model/secret-policy.ts';
import { absoluteEntries, variable } from './find-program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Names of variables that describe the system and the user: folders, language, program locations. Variables with keys, passphrases,
 * passwords and tokens are excluded.
 */
const queryVariables =
  /^(?:PATH|PATHEXT|HOME|USER|LOGNAME|LANG|LC_\w+|TMPDIR|TEMP|TMP|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|USERPROFILE|USERNAME|HOMEDRIVE|HOMEPATH|APPDATA|LOCALAPPDATA|PROGRAMDATA|PLATFORMIO_(?:CORE|HOME)_DIR)$/;

/** Returns the environment for a program that is only queried, such as for its version. */
export function queryEnvironment(env: Environment, platform: NodeJS.Platform): Record<string, string> {
  const allowed = Object.entries(env).filter(([name]) =>
    queryVariables.test(platform === 'win32' ? name.toUpperCase() : name),
  );
  return buildEnvironment(Object.fromEntries(allowed), platform);
}

/**
 * Returns the environment for a build. It contains all of the user's variables, because the build's hooks sign, publish and upload. The
 * build does not search the current folder for programs.
 */
export function buildEnvironment(env: Environment, platform: NodeJS.Platform): Record<string, string> {
  const isWindows = platform === 'win32';
  const { delimiter } = isWindows ? win32 : posix;
  const path = absoluteEntries(variable(env, 'PATH', platform), platform)
    .map(quoted)
    .join(delimiter);
  const others = Object.entries(env).filter((entry): entry is [string, string] => {
    const [name, value] = entry;
    return value !== undefined && (isWindows ? name.toUpperCase() : name) !== 'PATH';
  });
  return {
    ...Object.fromEntries(others),
    // An empty PATH would refer to the current folder.
    ...(path === '' ? {} : { PATH: path }),
    // Prevents cmd.exe, which runs .cmd files, from searching the current folder.
    ...(isWindows ? { NoDefaultCurrentDirectoryInExePath: '1' } : {}),
  };
}

const ownSecretKinds: readonly SourceKind[] = [
  'tool-credential',
  'tool-passphrase',
  'tool-private-key',
  'device-variable',
];

/**
 * Returns the environment for a program that signs: all of the user's variables except the secrets of ota-hooks. The credentials of cloud
 * clients remain, because the client of a key service needs them.
 *
 * @param named variables that the configuration or the command line names as sources of secrets
 */
export function signerEnvironment(
  env: Environment,
  platform: NodeJS.Platform,
  named: readonly string[],
): Record<string, string> {
  const allowed = Object.entries(env).filter(([name]) => {
    const isCloud = /^AWS_/i.test(name);
    return !named.includes(name) && (isCloud || !ownSecretKinds.includes(kindOfVariable(name)));
  });
  return buildEnvironment(Object.fromEntries(allowed), platform);
}

/** Quotes a PATH entry on Windows if the entry contains the separator. */
function quoted(entry: string): string {
  return entry.includes(';') ? `"${entry}"` : entry;
}
