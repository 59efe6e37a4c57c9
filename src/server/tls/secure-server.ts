import { constants } from 'node:crypto';
import type { ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { acceptedCiphers } from './accepted-ciphers.ts';
import type { Certificate } from './certificate.ts';
import { cacheSessions } from './session-cache.ts';

/**
 * Number of plaintext bytes per TLS record. A device must hold a whole record in memory to verify it, and has only 40 KB of memory. If a
 * client negotiates 512 bytes (RFC 6066, 4), OpenSSL applies that limit itself.
 */
const mostRecordBytes = 1024;
/** Session lifetime of one day. Devices check for updates about once an hour. */
const sessionSeconds = 86_400;

/** Creates an HTTPS server with settings that are also suitable for devices. */
export function createSecureServer(
  settings: ServerOptions & { readonly headersTimeout: number },
  certificate: Certificate,
): Server {
  const options = { ...settings, ...secureOptions(certificate), handshakeTimeout: settings.headersTimeout };
  const server = createServer(options);
  server.on('secureConnection', (socket: TLSSocket) => socket.setMaxSendFragment(mostRecordBytes));
  cacheSessions(server);
  return server;
}

/** Replaces the certificate for all new connections. */
export function replaceCertificate(server: Server, certificate: Certificate): void {
  server.setSecureContext(secureOptions(certificate));
}

function secureOptions({ cert, key }: Certificate): SecureContextOptions {
  return {
    cert,
    key,
    ciphers: acceptedCiphers.join(':'),
    minVersion: 'TLSv1.2',
    sessionTimeout: sessionSeconds,
    // A fixed context keeps sessions valid when the certificate is replaced.
    sessionIdContext: 'ota-hooks',
    // Use ChaCha20 for clients that prefer it, because they have no AES hardware. An ESP8266 has none either.
    secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA,
  };
}
