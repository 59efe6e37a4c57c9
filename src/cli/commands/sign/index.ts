import { resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { signFile } from './file.ts';
import { type SignOptions, signCommand } from './options.ts';

export function declareSign(declaration: Declaration) {
  return signCommand(declaration).action((options) => sign(options, declaration.io));
}

/** Signs any non-empty file, or the build that a manifest describes. Preflight rules are not applied. */
export async function sign(options: SignOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  if (options.manifest !== undefined) {
    const { signByManifest } = await import('./manifest.ts');
    return signByManifest(options, options.manifest, io, report);
  }
  if (options.bin === undefined) {
    throw new OtaError('OPTION_MISSING', { subject: '`sign`', wanted: '--bin FILE or --manifest FILE' });
  }
  await signFile(options, resolve(io.cwd, options.bin), io, report);
}
