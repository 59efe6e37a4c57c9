import { resolve } from 'node:path';
import type { SignatureFormat } from '../../../core/model/artifact.ts';
import { digests } from '../../../core/pack/digests.ts';
import { signerInputOf } from '../../../core/signing/signer-input.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { writeAtomically } from '../../../files/write.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import { keySizeWarnings } from '../../../project/keys/key-files.ts';
import type { Io } from '../../io.ts';
import type { Report } from '../../output/report.ts';
import type { KeyToUse } from './key-to-use.ts';
import type { SignOptions } from './options.ts';

/** Bytes to sign, and the path of the signed file. */
export interface FileToSign {
  readonly path: string;
  readonly format: SignatureFormat;
  readonly payload: Uint8Array;
}

/**
 * Writes the input of a signer that runs elsewhere: a file beside each signed file to come.
 *
 * @throws OtaError SIGNER_NO_LEGACY
 */
export async function writeDigests(wanted: readonly FileToSign[], options: SignOptions, report: Report): Promise<void> {
  const input = options.signerInput ?? 'digest';
  const files = wanted.map(({ path, format, payload }) => {
    const bytes = signerInputOf(payload, input, format);
    if (bytes === undefined) throw new OtaError('SIGNER_NO_LEGACY', { signer: 'of --digest-only', input });
    return { file: `${path}.${input}`, bytes, sha256: digests(payload).sha256 };
  });
  for (const { file, bytes, sha256 } of files) {
    await writeAtomically(file, bytes);
    report.say(`To sign: ${report.path(file)} (SHA-256 ${sha256})`);
  }
  report.result('sign', { toSign: files.map(({ file, sha256 }) => ({ file, sha256 })) });
}

/** Returns a key whose private half is elsewhere. */
export async function detachedKey(
  options: SignOptions,
  settings: ProjectSettings,
  io: Io,
  report: Report,
): Promise<KeyToUse> {
  const { keyPlaceName, projectKeyAt } = await import('../../shared/project-keys.ts');
  const { detachedSigner } = await import('../../../project/signing/detached-signer.ts');
  const { publicKey: place } = settings;
  const paths = options.signature.map((file) => resolve(io.cwd, file));
  return {
    name: 'the key that signs elsewhere',
    guardRequires: settings.config.guard?.require,
    paths: [...paths, ...(place !== undefined && 'path' in place ? [place.path] : [])],
    async open() {
      const wanted = '--public-key FILE';
      if (place === undefined) throw new OtaError('KEY_MISSING_FOR', { command: 'sign', wanted });
      const publicKey = await projectKeyAt(place, settings, io);
      for (const warning of keySizeWarnings(publicKey, keyPlaceName(place, report))) report.warn(warning);
      return detachedSigner(paths, publicKey);
    },
  };
}
