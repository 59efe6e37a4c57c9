/**
 * Tests name constraints in a certificate authority (RFC 5280, 4.2.1.10) with the real BearSSL. docs/server.md explains their effect on a
 * device.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import forge from 'node-forge';
import { deviceHeader } from '../../../src/server/tls/device-header.ts';
import { issueAuthority, issueServerCertificate } from '../../../src/server/tls/issue.ts';
import { updateRequest } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { usedAuthority } from '../../server/tls/authority.ts';
import type { TestFolder } from '../../support/test-folder.ts';
import { buildHttpsClient } from './https-client.ts';

/** BR_ERR_X509_CRITICAL_EXTENSION of bearssl_x509.h. */
const unknownCriticalExtension = 57;
const host = 'ota.example.com';
const request = updateRequest('/update/none');

interface Constraint {
  readonly permitted: string;
  readonly critical: boolean;
}

interface Issuer {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** Creates an authority that is constrained to a DNS name, signed by itself or by `issuer`. */
function constrained(key: KeyObject, { permitted, critical }: Constraint, issuer?: Issuer): X509Certificate {
  const made = forge.pki.certificateFromPem(issueAuthority(key, new Date()));
  const node = (type: forge.asn1.Type, value: forge.asn1.Asn1[]) =>
    forge.asn1.create(forge.asn1.Class.UNIVERSAL, type, true, value);
  const dnsName = forge.asn1.create(forge.asn1.Class.CONTEXT_SPECIFIC, 2, false, permitted);
  const subtree = node(forge.asn1.Type.SEQUENCE, [dnsName]);
  const subtrees = forge.asn1.create(forge.asn1.Class.CONTEXT_SPECIFIC, 0, true, [subtree]);
  const value = node(forge.asn1.Type.SEQUENCE, [subtrees]);
  made.setExtensions([...made.extensions, { id: '2.5.29.30', critical, value }]);
  if (issuer !== undefined) {
    made.setIssuer(forge.pki.certificateFromPem(issuer.certificate.toString()).subject.attributes);
  }
  const pem = (issuer?.key ?? key).export({ type: 'pkcs1', format: 'pem' }).toString();
  made.sign(forge.pki.privateKeyFromPem(pem), forge.md.sha256.create());
  return new X509Certificate(forge.pki.certificateToPem(made));
}

interface Chain {
  readonly folder: TestFolder;
  /** Certificate that devices and other clients trust. */
  readonly root: X509Certificate;
  /** Authorities below the root that the server sends. */
  readonly between: readonly X509Certificate[];
  readonly issuer: Issuer;
}

/** Starts a server with the chain and returns what happens when a device and Node.js connect. */
async function connections(t: ExecutionContext, { folder, root, between, issuer }: Chain) {
  const publicKey = createPublicKey(await folder.text('tls/server.key'));
  const { certificate: authority, key: authorityKey } = issuer;
  const leaf = issueServerCertificate({ authority, authorityKey, publicKey, hosts: [host] }, new Date());
  const cert = await folder.write('chain.pem', [leaf, ...between].join(''));
  const server = await startTestServer(t, { tls: { kind: 'files', cert, key: folder.at('tls/server.key') } });
  const header = await folder.write('device/ota_server_tls.h', deviceHeader(root, new X509Certificate(leaf)));
  const download = await buildHttpsClient(header, folder.at('device/download'));
  const [device] = await download({ port: server.port, request, name: host });
  const { port } = server;
  const socket = connect({ host: '127.0.0.1', port, servername: host, ca: root.toString(), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const computer = socket.authorizationError;
  socket.destroy();
  return { device, computer: computer ?? undefined };
}

async function rootOf(folder: TestFolder): Promise<Issuer> {
  const key = createPrivateKey(await folder.text('tls/ca.key'));
  return { key, certificate: new X509Certificate(await folder.read('tls/ca.pem')) };
}

for (const critical of [true, false]) {
  for (const permitted of [host, 'other.example.com']) {
    test(`a device ignores ${critical ? 'critical' : 'other'} constraints to the name ${permitted} in its trust anchor`, async (t) => {
      const folder = await usedAuthority(t);
      const { key } = await rootOf(folder);
      const root = constrained(key, { permitted, critical });
      for (const between of [[], [root]]) {
        const { device, computer } = await connections(t, {
          folder,
          root,
          between,
          issuer: { certificate: root, key },
        });
        t.like(device, { status: 404 });
        t.is(computer === undefined, permitted === host, String(computer));
      }
    });
  }

  test(`a device ${critical ? 'rejects critical' : 'ignores other'} constraints in a chain below its trust anchor`, async (t) => {
    const folder = await usedAuthority(t);
    const root = await rootOf(folder);
    const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    // The root may sign only server certificates (pathLenConstraint 0). Node.js reports the violation; a device ignores it.
    const certificate = constrained(key, { permitted: host, critical }, root);
    const chain = { folder, root: root.certificate, between: [certificate], issuer: { certificate, key } };
    const { device } = await connections(t, chain);
    if (critical) t.deepEqual(device, { error: unknownCriticalExtension });
    else t.like(device, { status: 404 });
  });
}
