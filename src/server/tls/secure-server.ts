import { constants } from 'node:crypto';
import type { ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Certificate } from './certificate.ts';
import { cacheSessions } from './session-cache.ts';

/**
 * Of the plain text in one record: a device must hold all of it to check it, and has 40 KB for everything. One that negotiates 512 bytes
 * (RFC 6066, 4) gets these, as OpenSSL sees to by itself.
 */
const mostRecordBytes = 1024;
/** A device asks once in an hour or so. */
const sessionSeconds = 86_400;

/** An HTTP server behind TLS, for devices too. */
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

/** From the next connection on. */
export function replaceCertificate(server: Server, certificate: Certificate): void {
  server.setSecureContext(secureOptions(certificate));
}

function secureOptions({ cert, key }: Certificate) {
  return {
    cert,
    key,
    sessionTimeout: sessionSeconds,
    // A session outlives the certificate that it began with.
    sessionIdContext: 'ota-hooks',
    // Who prefers ChaCha20 has no AES in hardware, as an ESP8266 has none.
    secureOptions: constants.SSL_OP_PRIORITIZE_CHACHA,
  };
}
