import { createHash, createPublicKey, type KeyObject, randomBytes, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';

const dayMs = 86_400_000;
/** Devices ignore the validity period of an authority, but browsers do not. UTCTime, the shorter encoding, ends in 2049. */
const authorityDays = 20 * 365;
/** Apple platforms reject certificates that are valid for more than 825 days, even from a manually installed authority. */
const serverDays = 365;
/** The certificate must not appear to be issued in the future to a device whose clock is slow. */
const clockSlackDays = 1;

/** Name types in a subjectAltName (RFC 5280, 4.2.1.6). */
const dnsName = 2;
const ipAddress = 7;

/**
 * Creates an authority certificate, valid from now. To devices, a new certificate for the same key is equivalent, because they keep only
 * the name and the key of a trust anchor.
 *
 * @returns PEM
 */
export function issueAuthority(key: KeyObject, now: Date): string {
  const publicKey = createPublicKey(key);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const name = `ota-hooks CA ${createHash('sha256').update(spki).digest('hex').slice(0, 8)}`;
  const certificate = blank(publicKey, now, authorityDays);
  certificate.setSubject([{ shortName: 'CN', value: name }]);
  certificate.setIssuer(certificate.subject.attributes);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  return signed(certificate, key);
}

/** Issuer, subject key and names for a server certificate. */
export interface ServerRequest {
  readonly authority: X509Certificate;
  readonly authorityKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Names and addresses of the server; at least one. */
  readonly hosts: readonly string[];
}

/**
 * Creates a server certificate, valid from now.
 *
 * An IP address is included both as an address, which browsers require, and as a name, which BearSSL requires (`br_x509_minimal` supports
 * only dNSName, and HTTPClient passes it the host as written in the URL).
 *
 * @returns PEM
 */
export function issueServerCertificate(request: ServerRequest, now: Date): string {
  const { authority, authorityKey, publicKey, hosts } = request;
  const issuer = forge.pki.certificateFromPem(authority.toString());
  const certificate = blank(publicKey, now, serverDays);
  certificate.setSubject([{ shortName: 'CN', value: 'ota-hooks server' }]);
  certificate.setIssuer(issuer.subject.attributes);
  const altNames = hosts.flatMap((host) => [
    { type: dnsName, value: host },
    ...(isIP(host) === 0 ? [] : [{ type: ipAddress, ip: host }]),
  ]);
  certificate.setExtensions([
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames },
    { name: 'authorityKeyIdentifier', keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
  ]);
  return signed(certificate, authorityKey);
}

function blank(publicKey: KeyObject, now: Date, days: number): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  // A serial number must be positive and in the shortest DER form.
  certificate.serialNumber = `4${randomBytes(15).toString('hex').slice(1)}`;
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  certificate.validity.notBefore = new Date(now.getTime() - clockSlackDays * dayMs);
  certificate.validity.notAfter = new Date(now.getTime() + days * dayMs);
  return certificate;
}

function signed(certificate: forge.pki.Certificate, key: KeyObject): string {
  const pem = key.export({ type: 'pkcs1', format: 'pem' }).toString();
  certificate.sign(forge.pki.privateKeyFromPem(pem), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n');
}
