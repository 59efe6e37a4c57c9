import { resolve } from 'node:path';
import { secretFromEnvironment } from '../../../core/model/secret-from-environment.ts';
import type { Signer } from '../../../core/signing/signer.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readSecretFile } from '../../../project/config/secrets.ts';
import { openSigner } from '../../../project/signing/open-signer.ts';
import type { Io } from '../../io.ts';
import type { Report } from '../../output/report.ts';
import { detachedKey } from './detached.ts';
import type { KeyToUse } from './key-to-use.ts';
import type { SignOptions } from './options.ts';

const nothingToCheck = () => undefined;

/** Returns the key in `--private-key`, or else the project's signer, or the public key for signatures that are made elsewhere. */
export async function keyOf(options: SignOptions, io: Io, report: Report): Promise<KeyToUse> {
  if (options.privateKey !== undefined) {
    const path = resolve(io.cwd, options.privateKey);
    const open = async () => ({
      signer: await signerAt(path, options, io, report),
      requireAllUsed: nothingToCheck,
    });
    return { name: report.path(path), paths: [path], open };
  }
  const { readProjectSettings } = await import('../../shared/project-settings.ts');
  const settings = await readProjectSettings(options, io, report);
  if (options.digestOnly === true || options.signature.length > 0) return detachedKey(options, settings, io, report);
  const { projectSigner, signerName } = await import('../../shared/project-keys.ts');
  const place = settings.privateKey;
  return {
    name: signerName(settings, report),
    guardRequires: settings.config.guard?.require,
    paths: place !== undefined && 'path' in place ? [place.path] : [],
    async open() {
      const signer = await projectSigner(settings, io, report);
      if (signer !== undefined) return { signer, requireAllUsed: nothingToCheck };
      throw new OtaError('KEY_MISSING_FOR', {
        command: 'sign',
        wanted: '--private-key FILE',
        isRecorded: settings.recordedKeys !== undefined,
      });
    },
  };
}

async function signerAt(path: string, options: SignOptions, io: Io, report: Report): Promise<Signer> {
  const { passphraseEnv, passphraseFile } = options;
  const keyName = report.path(path);
  const passphrase =
    passphraseFile === undefined
      ? passphraseEnv && secretFromEnvironment(passphraseEnv, io.env, 'the passphrase')
      : await readSecretFile(resolve(io.cwd, passphraseFile));
  const { passphrasePrompt } = await import('../../shared/project-keys.ts');
  const config = { privateKey: { path }, passphrase, promptPassphrase: passphrasePrompt(keyName, io) };
  const { signer, warnings } = await openSigner(config, { env: io.env, keyName });
  for (const warning of warnings) report.warn(warning);
  return signer;
}
