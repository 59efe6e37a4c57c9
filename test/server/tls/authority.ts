import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { issueServerCertificate } from '../../../src/server/tls/issue.ts';
import { selfSigned } from '../../../src/server/tls/self-signed.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

export const hosts = ['ota.example.com', '192.168.1.5'];
const dayMs = 86_400_000;

let made: Promise<Record<string, Buffer>> | undefined;

/** Folder with an existing authority in `tls`. All tests share one authority, because generating its keys is slow. */
export async function usedAuthority(t: ExecutionContext): Promise<TestFolder> {
  made ??= makeFiles(t);
  return testFolder(t, await made);
}

async function makeFiles(t: ExecutionContext): Promise<Record<string, Buffer>> {
  const folder = (await testFolder(t)).at('tls');
  await selfSigned(folder, hosts).read();
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [`tls/${name}`, await readFile(join(folder, name))] as const)),
  );
}

/** Replaces the server certificate with a certificate issued `days` days ago. */
export async function ageCertificate(folder: TestFolder, days: number): Promise<string> {
  const request = {
    authority: new X509Certificate(await folder.read('tls/ca.pem')),
    authorityKey: createPrivateKey(await folder.text('tls/ca.key')),
    publicKey: createPublicKey(await folder.text('tls/server.key')),
    hosts: [...hosts, 'localhost', '127.0.0.1'],
  };
  const pem = issueServerCertificate(request, new Date(Date.now() - days * dayMs));
  await folder.write('tls/server.pem', pem);
  return pem;
}
