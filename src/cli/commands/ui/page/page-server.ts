import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { OtaError } from '../../../../errors/ota-error.ts';
import { handleRequests } from '../../../../server/http/handle-requests.ts';
import type { UiEnv } from './guard.ts';

/** The page is served only on this machine. */
const host = '127.0.0.1';
const mostHeaderBytes = 8192;
const headersWithinMs = 10_000;
/** Time limit for a request with its body, which is a small form. */
const requestWithinMs = 30_000;

export interface PageServer {
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * Serves the page on loopback.
 *
 * @param port 0 selects a free port
 * @throws OtaError PAGE_LISTEN_FAILED
 */
export async function openPageServer(app: Hono<UiEnv>, port: number): Promise<PageServer> {
  const server = createServer({
    maxHeaderSize: mostHeaderBytes,
    headersTimeout: headersWithinMs,
    requestTimeout: requestWithinMs,
  });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false, hostname: host });
  handleRequests(server, (request, response) => void listener(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code ?? cause.message;
      reject(new OtaError('PAGE_LISTEN_FAILED', { address: `${host}:${port}`, reason }, cause));
    });
    server.listen(port, host, resolve);
  });
  // `address()` returns an `AddressInfo` for every server that listens on TCP.
  const address = server.address() as AddressInfo;
  return {
    origin: `http://${host}:${address.port}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
