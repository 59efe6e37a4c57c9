import { OtaError } from '../../../errors/ota-error.ts';
import { isWantedAfterBuild, withoutKeySecrets } from '../../../project/config/after-build.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Io } from '../../io.ts';
import type { PublishOptions } from './options.ts';

/**
 * What a build's hook calls behind `pack`, when the process that signed is gone: publishes in a process of its own, to which the secrets of
 * the key are not passed on.
 *
 * @throws OtaError PUBLISH_AFTER_BUILD_FAILED; what went wrong was said by that process
 */
export async function publishAfterBuild(
  file: string | undefined,
  source: string,
  options: PublishOptions,
  { config, configPath }: ProjectSettings,
  io: Io,
): Promise<void> {
  if (!isWantedAfterBuild(config, io.env)) return;
  const { execa } = await import('execa');
  const { passphraseEnv, verbose, quiet } = options;
  const argv = [
    ...['publish', ...(file === undefined ? [] : [file]), '--source', source],
    ...(configPath === undefined ? [] : ['--config', configPath]),
    ...(verbose === true ? ['--verbose'] : []),
    ...(quiet === true ? ['--quiet'] : []),
  ];
  const { failed, exitCode } = await execa(io.self.node, [io.self.cli, ...argv], {
    cwd: io.cwd,
    env: withoutKeySecrets(config, io.env, passphraseEnv === undefined ? [] : [passphraseEnv]),
    extendEnv: false,
    cancelSignal: io.signal,
    stdin: 'ignore',
    // The log of a build shows stderr always, stdout not (arduino-cli).
    stdout: 2,
    stderr: 2,
    reject: false,
  });
  if (failed) throw new OtaError('PUBLISH_AFTER_BUILD_FAILED', { exitCode: exitCode ?? 1 });
}
