import { open, rm, stat } from 'node:fs/promises';
import { type RsaPrivateKey, readPrivateKey } from '../../core/keys/private-key.ts';
import { type RsaPublicKey, readPublicKey } from '../../core/keys/public-key.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { mostSmallFileBytes, readFailure, readFileOrPipe } from '../../files/bounded-read.ts';
import { syncFile } from '../../files/sync.ts';
import { type GitTracking, gitTracking } from './git-tracking.ts';

/**
 * Reads a public key from a file.
 *
 * @throws OtaError KEY_NOT_FOUND, FILE_UNREADABLE and errors of {@link readPublicKey}
 */
export async function loadPublicKey(path: string): Promise<RsaPublicKey> {
  return readPublicKey(await readKeyFile(path, 'public'), path);
}

/**
 * Reads a private key from a file.
 *
 * @throws OtaError KEY_NOT_FOUND, FILE_UNREADABLE and errors of {@link readPrivateKey}
 */
export async function loadPrivateKey(path: string, passphrase?: string): Promise<RsaPrivateKey> {
  return readPrivateKey(await readKeyFile(path, 'private'), path, passphrase);
}

/**
 * Writes a new private key with mode 0600. Never overwrites an existing file.
 *
 * @throws OtaError FILE_EXISTS, FOLDER_MISSING, FILE_UNWRITABLE
 */
export async function createPrivateKeyFile(path: string, pem: string): Promise<void> {
  await createKeyFile(path, pem, 0o600, 'private key');
}

/** Writes a new public key with mode 0644. Never overwrites an existing file. */
export async function createPublicKeyFile(path: string, pem: string): Promise<void> {
  await createKeyFile(path, pem, 0o644, 'public key');
}

/**
 * Returns warnings about a private key, one line each: its size, access by other users, and tracking by git.
 *
 * @param key public key that belongs to the private key
 * @param name name of the key in the warnings
 */
export async function privateKeyWarnings(path: string, key: RsaPublicKey, name: string): Promise<string[]> {
  const readable = await isReadableByOthers(path);
  return [
    ...keySizeWarnings(key, name),
    ...(readable ? [`${name} is accessible to other users of this machine; run chmod 600 ${name}`] : []),
    ...trackingWarnings(gitTracking(path), name),
  ];
}

function trackingWarnings(tracking: GitTracking, name: string): string[] {
  switch (tracking) {
    case 'untracked':
      return [];
    case 'tracked':
      return [
        `${name} is tracked by git: everyone with access to the repository can sign updates; run git rm --cached ${name} and replace the key pair if it was ever committed`,
      ];
    case 'unknown':
      return [
        `${name} may be tracked by git: the index of the repository cannot be read; check that the key was never committed`,
      ];
  }
}

/**
 * Returns warnings about the size of a key.
 *
 * A signature is as long as the key. If the length is not a multiple of 4 bytes, cores 3.1.0 to 3.1.2 cannot read the value that follows
 * the signature (esp8266/Arduino#9109).
 */
export function keySizeWarnings({ bits, modulus }: RsaPublicKey, path: string): string[] {
  const short = `${path} has ${bits} bits; keys smaller than 2048 bits can be broken`;
  const odd = `${path} has ${bits} bits; devices on core 3.1.0 to 3.1.2 reject every signature whose length is not a multiple of 4 bytes`;
  return [...(bits < 2048 ? [short] : []), ...(modulus.length % 4 === 0 ? [] : [odd])];
}

async function readKeyFile(path: string, kind: 'private' | 'public'): Promise<string> {
  try {
    return (await readFileOrPipe(path, { fileBytes: mostSmallFileBytes })).toString('latin1');
  } catch (cause) {
    const reason = readFailure(cause);
    if (reason === 'ENOENT' || reason === 'ENOTDIR') throw new OtaError('KEY_NOT_FOUND', { path, kind }, cause);
    throw new OtaError('FILE_UNREADABLE', { path, reason }, cause);
  }
}

async function createKeyFile(path: string, pem: string, mode: number, what: string): Promise<void> {
  try {
    const file = await open(path, 'wx', mode);
    try {
      await file.writeFile(pem);
      await syncFile(file);
    } catch (cause) {
      // An incomplete key file is useless and would make the next attempt fail.
      await rm(path, { force: true }).catch(() => undefined);
      throw cause;
    } finally {
      await file.close();
    }
  } catch (cause) {
    // Errors from fs are system errors. The code identifies the cause.
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (code === 'EEXIST') throw new OtaError('FILE_EXISTS', { path, what }, cause);
    if (code === 'ENOENT') throw new OtaError('FOLDER_MISSING', { path }, cause);
    throw new OtaError('FILE_UNWRITABLE', { path, reason: code }, cause);
  }
}

/** Returns true if other users have any access to a private key file. Always returns false on Windows. */
export async function isReadableByOthers(path: string): Promise<boolean> {
  // Windows uses access control lists, which stat does not report, instead of mode bits.
  if (process.platform === 'win32') return false;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && (found.mode & 0o077) !== 0;
}
