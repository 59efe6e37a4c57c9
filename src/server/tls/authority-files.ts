import { mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { readOptionalFile } from '../../files/read.ts';
import { writeAtomically, writeError } from '../../files/write.ts';
import { readCertificate, readTlsKey } from './certificate.ts';

/** Returns the folder of the server's own authority. */
export function authorityIn(data: string): string {
  return join(data, 'tls');
}

/** Returns the paths to the files in an authority folder. */
export function tlsFiles(folder: string) {
  const at = (name: string) => join(folder, name);
  return {
    authority: at('ca.pem'),
    authorityKey: at('ca.key'),
    server: at('server.pem'),
    serverKey: at('server.key'),
    header: at('ota_server_tls.h'),
  };
}

/** Files included in a backup. Devices trust the two keys; the header for sketches can be generated again. */
export const savedFiles = ['ca.key', 'ca.pem', 'server.key', 'server.pem'] as const;

export interface AuthorityFile {
  readonly name: (typeof savedFiles)[number];
  readonly content: Uint8Array;
}

/** Reads the files, skipping those that do not exist. */
export async function readAuthority(folder: string): Promise<readonly AuthorityFile[]> {
  const read = async (name: AuthorityFile['name']) => ({ name, content: await readOptionalFile(join(folder, name)) });
  const found = await Promise.all(savedFiles.map(read));
  return found.flatMap(({ name, content }) => (content === undefined ? [] : [{ name, content }]));
}

/** Returns whether a folder contains an authority. */
export async function hasAuthority(folder: string): Promise<boolean> {
  return (await readAuthority(folder)).length > 0;
}

/**
 * Checks that the folder does not contain an authority other than the one in `files`.
 *
 * @throws OtaError SERVER_DATA_NOT_EMPTY
 */
export async function requireNoOther(folder: string, files: readonly AuthorityFile[]): Promise<void> {
  for (const { name, content } of await readAuthority(folder)) {
    const restored = files.find((file) => file.name === name);
    const isSame = restored !== undefined && Buffer.compare(restored.content, content) === 0;
    if (!isSame) throw new OtaError('SERVER_DATA_NOT_EMPTY', { path: folder });
  }
}

/**
 * Checks that a server can use the files from a backup.
 *
 * @param reject throws the error for a reason such as `server.pem: it contains no certificate in PEM format`
 */
export function requireUsable(files: readonly AuthorityFile[], reject: (reason: string) => never): void {
  for (const [cert, key] of [
    ['ca.pem', 'ca.key'],
    ['server.pem', 'server.key'],
  ] as const) {
    const [certificate, privateKey] = [textIn(files, cert, reject), textIn(files, key, reject)];
    if (certificate !== undefined && privateKey === undefined) reject(`${key} is missing`);
    try {
      const read = privateKey === undefined ? undefined : readTlsKey(privateKey, key);
      if (certificate === undefined || read === undefined) continue;
      if (!readCertificate(certificate, cert).checkPrivateKey(read)) reject(`${key} does not match ${cert}`);
    } catch (error) {
      if (!(error instanceof OtaError)) throw error;
      reject(error.message);
    }
  }
}

function textIn(files: readonly AuthorityFile[], name: string, reject: (reason: string) => never): string | undefined {
  const [file, ...more] = files.filter((found) => found.name === name);
  if (more.length > 0) reject(`it contains ${name} twice`);
  return file && Buffer.from(file.content).toString('latin1');
}

/** Removes the files in a folder, and then the empty folder. */
export async function removeAuthority(folder: string): Promise<void> {
  for (const name of savedFiles) await rm(join(folder, name), { force: true });
  await rmdir(folder).catch(() => undefined);
}

/**
 * Writes the files. Files that contain keys can only be read by their owner.
 *
 * @throws OtaError FILE_UNWRITABLE
 */
export async function writeAuthority(folder: string, files: readonly AuthorityFile[]): Promise<void> {
  if (files.length === 0) return;
  await makePrivateFolder(folder);
  for (const { name, content } of files) {
    await writeAtomically(join(folder, name), content, name.endsWith('.key') ? 0o600 : undefined);
  }
}

/**
 * Creates a folder that only its owner can access.
 *
 * @throws OtaError FILE_UNWRITABLE
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw writeError(folder, cause);
  });
}
