import { resolve } from 'node:path';
import { OtaError } from '../errors.ts';
import { readNamedFile } from '../files/read.ts';
import { deviceVerdict } from '../firmware/device-verdict.ts';
import { loadPublicKey } from '../keys/key-files.ts';
import type { Io } from './io.ts';
import { makeReport, type OutputOptions } from './report.ts';
import { collect, type Declaration, verb } from './verb.ts';

export interface VerifyOptions extends OutputOptions {
  readonly publicKey: readonly string[];
  readonly legacy?: boolean | undefined;
}

/** Declares the verb. */
export function declare(declaration: Declaration) {
  return verb(declaration, 'verify <file>', 'say what a device with the key would say of a file', [
    'ota-hooks verify build/sketch.ino.bin.signed --public-key public.key',
    'ota-hooks verify old.bin.legacy_sig --public-key public.key --legacy',
  ])
    .requiredOption('--public-key <file>', 'the key of the device; may be repeated', collect)
    .option('--legacy', 'a device on core 2.5.x')
    .action((file, options) => verify(file, options, declaration.io));
}

/** Says what a device built with the key would say of the file; exit code 1 when it would refuse. */
export async function verify(file: string, options: VerifyOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = resolve(io.cwd, file);
  const keys = await Promise.all(options.publicKey.map((key) => loadPublicKey(resolve(io.cwd, key))));
  const bytes = await readNamedFile(path, 'file to verify');
  const format = options.legacy === true ? 'legacy' : 'current';
  const verdicts = keys.map((key) => ({ key, verdict: deviceVerdict(bytes, key, format) }));
  const accepted = verdicts.find(({ verdict }) => verdict.accepted);
  if (accepted !== undefined) {
    report.result({ file: path, accepted: true, format, fingerprint: accepted.key.fingerprint });
    report.say(`${report.path(path)}: accepted by devices with key ${accepted.key.fingerprint}`);
    return;
  }
  const first = verdicts[0]?.verdict;
  const error = first?.accepted === false ? first.error : 'no key was given';
  report.result({ file: path, accepted: false, format, error });
  throw new OtaError('NOT_ACCEPTED', { path: report.path(path), verdict: error });
}
