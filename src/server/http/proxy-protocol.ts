import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Log } from '../observability/log.ts';

/** First bytes of a connection with the PROXY protocol, versions 1 and 2 (haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2). */
const signatures = [Buffer.from('PROXY '), Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')];

/**
 * Logs a line when a proxy begins its connections with the PROXY protocol, which the server does not support. Without this line, the only
 * sign would be status 400 for every request. Node.js responds and then destroys the socket with the error of its parser.
 */
export function nameProxyProtocol(server: HttpServer | HttpsServer, log: Log): void {
  let isNamed = false;
  const inspect = ({ rawPacket }: Error & { rawPacket?: Buffer }) => {
    if (isNamed || !signatures.some((bytes) => rawPacket?.subarray(0, bytes.length).equals(bytes))) return;
    isNamed = true;
    const hint = 'turn it off in the proxy (send-proxy, proxy_protocol), and let the proxy send X-Forwarded-For';
    log.warn({ hint }, 'A proxy uses the PROXY protocol, which is not supported; its requests are rejected with 400');
  };
  for (const event of ['connection', 'secureConnection']) {
    server.on(event, (socket: Socket) => void socket.once('error', inspect));
  }
}
