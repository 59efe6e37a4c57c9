import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** PKCS#11 module of SoftHSM, a token in software. */
export const softModule = '/usr/lib/softhsm/libsofthsm2.so';

/** Token in a folder of its own. */
export interface SoftToken {
  /** Selects the token; the PIN is in the variable HSM_PIN. */
  readonly env: Readonly<Record<string, string>>;
  /** Words of a `pkcs11-tool` command that signs with the imported key. */
  sign(mechanism: 'RSA-PKCS' | 'SHA256-RSA-PKCS', pin?: readonly string[]): readonly string[];
  /** Deletes the token with its key. */
  remove(): Promise<void>;
}

export const pin = '4711-secret';

/** Returns the environment of a SoftHSM without tokens. */
export async function emptySoftHsm(folder: string): Promise<Readonly<Record<string, string>>> {
  if (!existsSync(softModule)) throw new Error('SoftHSM is not installed yet: npm run test:e2e does it');
  const tokens = join(folder, 'tokens');
  await mkdir(tokens, { recursive: true });
  const config = join(folder, 'softhsm2.conf');
  await writeFile(config, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  return { SOFTHSM2_CONF: config };
}

/** Creates a token with the key in a PEM file. */
export async function makeSoftToken(folder: string, keyPath: string): Promise<SoftToken> {
  const env = await emptySoftHsm(folder);
  const util = (...argv: string[]) => execa('softhsm2-util', argv, { env });
  await util('--init-token', '--free', '--label', 'ota', '--so-pin', '87654321', '--pin', pin);
  await util('--import', keyPath, '--token', 'ota', '--label', 'door', '--id', '01', '--pin', pin);
  const base = ['pkcs11-tool', '--module', softModule, '--token-label', 'ota', '--sign', '--id', '01', '--login'];
  return {
    env: { ...env, HSM_PIN: pin },
    sign: (mechanism, pinWords = ['--pin', 'env:HSM_PIN']) => [...base, ...pinWords, '--mechanism', mechanism],
    remove: async () => void (await util('--delete-token', '--token', 'ota')),
  };
}
