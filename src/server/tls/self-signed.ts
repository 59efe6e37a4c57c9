import { createPublicKey, generateKeyPair, type KeyObject, type X509Certificate } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { OtaError } from '../../errors/ota-error.ts';
import { readOptionalFile } from '../../files/read.ts';
import { writeAtomically, writeIfChanged } from '../../files/write.ts';
import { makePrivateFolder, tlsFiles } from './authority-files.ts';
import { type CertificateSource, isEarly, readCertificate, readTlsKey } from './certificate.ts';
import { deviceHeader } from './device-header.ts';
import { issueAuthority, issueServerCertificate } from './issue.ts';

/**
 * Keys are RSA, because a sketch built with "Basic SSL ciphers" (BEARSSL_SSL_BASIC in the core) supports no other type and RSA signatures
 * are fast to verify. With 2048 bits and no chain, the certificate fits in one 1 KB record.
 */
const keyBits = 2048;
const renewBeforeMs = 30 * 86_400_000;

/**
 * Creates a source for a certificate issued by the server's own authority. The certificate is renewed in time, always for the same key, so
 * that the authority and the key, which devices may pin, do not change.
 *
 * @returns a source that throws OtaError TLS_AUTHORITY_KEY_LOST, TLS_FILE_UNUSABLE, TLS_KEY_MISMATCH, FILE_UNREADABLE, FILE_UNWRITABLE
 */
export function selfSigned(folder: string, hosts: readonly string[]): CertificateSource {
  const paths = tlsFiles(folder);
  return {
    async read() {
      await makePrivateFolder(folder);
      const authority = await authorityIn(paths);
      const serverKey = (await keyIn(paths.serverKey)) ?? (await newKey(paths.serverKey));
      const publicKey = createPublicKey(serverKey);
      const wanted = { ...authority, publicKey, hosts: hosts.length > 0 ? withOwnNames(hosts) : ownHosts() };
      let cert = await textOf(paths.server);
      if (cert === undefined || !isGood(cert, wanted)) {
        cert = issueServerCertificate(wanted, new Date());
        await writeAtomically(paths.server, cert);
      }
      await writeIfChanged(paths.header, deviceHeader(authority.authority, readCertificate(cert, paths.server)));
      return { cert, key: pemOf(serverKey) };
    },
  };
}

type Paths = ReturnType<typeof tlsFiles>;

interface Wanted {
  readonly authority: X509Certificate;
  readonly authorityKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly hosts: readonly string[];
}

/** Writes the key before the certificate, so that a certificate without a key always means that the key was lost. */
async function authorityIn(paths: Paths): Promise<Pick<Wanted, 'authority' | 'authorityKey'>> {
  const [pem, found] = [await textOf(paths.authority), await keyIn(paths.authorityKey)];
  if (pem !== undefined && found === undefined) {
    throw new OtaError('TLS_AUTHORITY_KEY_LOST', { path: paths.authorityKey });
  }
  const authorityKey = found ?? (await newKey(paths.authorityKey));
  const text = pem ?? issueAuthority(authorityKey, new Date());
  if (pem === undefined) await writeAtomically(paths.authority, text);
  const authority = readCertificate(text, paths.authority);
  if (!authority.checkPrivateKey(authorityKey)) {
    throw new OtaError('TLS_KEY_MISMATCH', { cert: paths.authority, key: paths.authorityKey });
  }
  return { authority, authorityKey };
}

async function keyIn(path: string): Promise<KeyObject | undefined> {
  const pem = await textOf(path);
  return pem === undefined ? undefined : readTlsKey(pem, path);
}

async function newKey(path: string): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: keyBits });
  await writeAtomically(path, pemOf(privateKey), 0o600);
  return privateKey;
}

/** Returns whether the certificate can be kept. If not, a new certificate is issued. */
function isGood(pem: string, { authority, publicKey, hosts }: Wanted): boolean {
  try {
    const certificate = readCertificate(pem, '');
    const isInTime = !isEarly(certificate) && Date.parse(certificate.validTo) - Date.now() > renewBeforeMs;
    const isOurs = certificate.verify(authority.publicKey) && certificate.publicKey.equals(publicKey);
    const names = new Set((certificate.subjectAltName ?? '').split(', '));
    return isInTime && isOurs && hosts.every((host) => names.has(`DNS:${host}`));
  } catch {
    return false;
  }
}

/** Names that clients on the same machine, such as `publish`, use to reach the server. */
const loopback = ['localhost', '127.0.0.1'];

function withOwnNames(hosts: readonly string[]): readonly string[] {
  return [...new Set([...hosts.map((host) => host.toLowerCase()), ...loopback])];
}

/** Returns the names and addresses that other machines on the network may use to reach this machine. */
function ownHosts(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const addresses = all.filter(({ family, internal }) => family === 'IPv4' && !internal).map(({ address }) => address);
  return withOwnNames([hostname(), ...addresses]);
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

async function textOf(path: string): Promise<string | undefined> {
  const bytes = await readOptionalFile(path);
  return bytes && Buffer.from(bytes).toString('latin1');
}
