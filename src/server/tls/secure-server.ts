import { constants } from 'node:crypto';
import type { ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Certificate } from './certificate.ts';
import { cacheSessions } from './session-cache.ts';

/**
 * Plain text bytes per TLS record: a device must hold a whole record in memory to verify it, and has 40 KB of memory in total. If a client
 * negotiates 512 bytes (RFC 6066, 4), OpenSSL applies that limit itself.
 */
const mostRecordBytes = 1024;
/** One day, because devices check for updates about once an hour. */
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

function secureOptions({ cert, key }: Certificate) {
  return {
    cert,
    key,
    sessionTimeout: sessionSeconds,
    // Sessions remain valid when the certificate is replaced.
    sessionIdContext: 'ota-hooks',
    // Clients that prefer ChaCha20 do not have AES hardware, and neither does an ESP8266.
    secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA,
  };
}
