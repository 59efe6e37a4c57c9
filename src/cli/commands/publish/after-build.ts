import { OtaError } from '../../../errors/ota-error.ts';
import { publishesAfterBuild, withoutKeySecrets } from '../../../project/config/after-build.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { Io } from '../../io.ts';
import type { PublishOptions } from './options.ts';

/**
 * Publishes after a build, if the configuration enables it. Hooks call this function after the signing process has ended. A separate
 * process publishes the build and does not receive the key secrets.
 *
 * @throws OtaError PUBLISH_AFTER_BUILD_FAILED; the separate process has printed the cause
 */
export async function publishAfterBuild(
  file: string | undefined,
  source: string,
  options: PublishOptions,
  { config, configPath }: ProjectSettings,
  io: Io,
): Promise<void> {
  if (!publishesAfterBuild(config, io.env)) return;
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
    // Build logs always show stderr, whereas arduino-cli hides stdout in some cases.
    stdout: 2,
    stderr: 2,
    reject: false,
  });
  if (failed) throw new OtaError('PUBLISH_AFTER_BUILD_FAILED', { exitCode: exitCode ?? 1, file });
}
