import { resolve } from 'node:path';
import { deviceVerdict } from '../../../core/firmware/device-verdict.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readNamedFile } from '../../../files/read.ts';
import { collect, command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type OutputOptions } from '../../output/report.ts';
import { type KnownKeyOptions, namedKeys, projectKeys } from '../../shared/known-keys.ts';

export interface VerifyOptions extends OutputOptions, KnownKeyOptions {
  readonly legacy?: boolean | undefined;
}

/** Declares the command. */
export function declareVerify(declaration: Declaration) {
  return command(declaration, 'verify <file>', 'Verify the signature of a file as a device does', [
    'ota-hooks verify build/sketch.ino.bin.signed --public-key public.key',
    'ota-hooks verify old.bin.legacy_sig --public-key public.key --legacy',
  ])
    .option('--public-key <file>', "Public key of the device (repeatable, default: the project's keys)", collect, [])
    .option('--source <dir>', 'Folder of the sketch or platformio.ini (default: current folder)')
    .option('--config <file>', 'Configuration file (default: ota.config.json in the source folder or a parent)')
    .option('--legacy', 'Verify as a device on core 2.5.x')
    .action((file, options) => verify(file, options, declaration.io));
}

/** Reports whether a device that was built with one of the keys would accept the file; the exit code is 1 if it would not. */
export async function verify(file: string, options: VerifyOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = resolve(io.cwd, file);
  const named = await namedKeys(options, io);
  const keys = named.length > 0 ? named : await projectKeys(options, io);
  if (keys.length === 0) throw new OtaError('KEY_MISSING_FOR', { command: 'verify', wanted: '--public-key FILE' });
  const bytes = await readNamedFile(path, 'file to verify');
  const format = options.legacy === true ? 'legacy' : 'current';
  const verdicts = keys.map((key) => ({ key, verdict: deviceVerdict(bytes, key, format) }));
  const accepted = verdicts.find(({ verdict }) => verdict.accepted);
  if (accepted !== undefined) {
    report.result('verify', { file: path, accepted: true, format, fingerprint: accepted.key.fingerprint });
    report.say(`${report.path(path)}: accepted by devices with key ${accepted.key.fingerprint}`);
    return;
  }
  const [error = ''] = verdicts.flatMap(({ verdict }) => (verdict.accepted ? [] : [verdict.error]));
  report.result('verify', { file: path, accepted: false, format, error });
  throw new OtaError('NOT_ACCEPTED', { path: report.path(path), verdict: error });
}
