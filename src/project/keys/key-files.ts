import { open, readFile, rm, stat } from 'node:fs/promises';
import { type RsaPrivateKey, readPrivateKey } from '../../core/keys/private-key.ts';
import { type RsaPublicKey, readPublicKey } from '../../core/keys/public-key.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { type GitTracking, gitTracking } from './git-tracking.ts';

/**
 * Reads a public key's file.
 *
 * @throws OtaError KEY_NOT_FOUND, FILE_UNREADABLE and those of {@link readPublicKey}
 */
export async function loadPublicKey(path: string): Promise<RsaPublicKey> {
  return readPublicKey(await readKeyFile(path, 'public'), path);
}

/**
 * Reads a private key's file.
 *
 * @throws OtaError KEY_NOT_FOUND, FILE_UNREADABLE and those of {@link readPrivateKey}
 */
export async function loadPrivateKey(path: string, passphrase?: string): Promise<RsaPrivateKey> {
  return readPrivateKey(await readKeyFile(path, 'private'), path, passphrase);
}

/**
 * Writes a new private key with mode 0600, and never over a file that is there.
 *
 * @throws OtaError FILE_EXISTS, FOLDER_MISSING, FILE_UNWRITABLE
 */
export async function createPrivateKeyFile(path: string, pem: string): Promise<void> {
  await createKeyFile(path, pem, 0o600, 'private key');
}

/** The same for a public key, which others may read. */
export async function createPublicKeyFile(path: string, pem: string): Promise<void> {
  await createKeyFile(path, pem, 0o644, 'public key');
}

/**
 * What is careless about a private key, one line each: its size, others can read it, git tracks it.
 *
 * @param key its public half
 * @param name what the lines call it
 */
export async function privateKeyWarnings(path: string, key: RsaPublicKey, name: string): Promise<string[]> {
  const readable = await isReadableByOthers(path);
  return [
    ...keySizeWarnings(key, name),
    ...(readable ? [`${name} can be read by other users of this machine; chmod 600 it`] : []),
    ...trackingWarnings(gitTracking(path), name),
  ];
}

function trackingWarnings(tracking: GitTracking, name: string): string[] {
  switch (tracking) {
    case 'untracked':
      return [];
    case 'tracked':
      return [
        `${name} is tracked by git: everyone with the repository can sign updates; git rm --cached it and make a new pair`,
      ];
    case 'unknown':
      return [
        `${name} may be tracked by git: the index of its repository cannot be read; make sure that it was never committed`,
      ];
  }
}

/**
 * Words of advice about a key's size.
 *
 * A signature is as long as the key. Where that is no multiple of 4 bytes, the word behind it is not aligned in flash, which the cores
 * 3.1.0 to 3.1.2 cannot read (esp8266/Arduino#9109).
 */
export function keySizeWarnings({ bits, modulus }: RsaPublicKey, path: string): string[] {
  const short = `${path} has ${bits} bits; fewer than 2048 can be broken by determined people`;
  const odd = `${path} has ${bits} bits; devices on core 3.1.0 to 3.1.2 refuse every signature whose length is no multiple of 4 bytes`;
  return [...(bits < 2048 ? [short] : []), ...(modulus.length % 4 === 0 ? [] : [odd])];
}

async function readKeyFile(path: string, kind: 'private' | 'public'): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new OtaError('KEY_NOT_FOUND', { path, kind }, cause);
    throw new OtaError('FILE_UNREADABLE', { path, reason: code }, cause);
  }
}

async function createKeyFile(path: string, pem: string, mode: number, what: string): Promise<void> {
  try {
    const file = await open(path, 'wx', mode);
    try {
      await file.writeFile(pem);
      await file.sync();
    } catch (cause) {
      // Half a key is of no use, and would stand in the way of the next try.
      await rm(path, { force: true }).catch(() => undefined);
      throw cause;
    } finally {
      await file.close();
    }
  } catch (cause) {
    // fs rejects with a system error, whose code says which.
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (code === 'EEXIST') throw new OtaError('FILE_EXISTS', { path, what }, cause);
    if (code === 'ENOENT') throw new OtaError('FOLDER_MISSING', { path }, cause);
    throw new OtaError('FILE_UNWRITABLE', { path, reason: code }, cause);
  }
}

/** Of a private key's file. */
export async function isReadableByOthers(path: string): Promise<boolean> {
  // Windows has no such mode bits; access there is a matter of lists that stat does not show.
  if (process.platform === 'win32') return false;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && (found.mode & 0o077) !== 0;
}
