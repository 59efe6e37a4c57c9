import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { OtaError } from '../errors.ts';
import { makeApi } from './api/app.ts';
import { DeviceDoor } from './device/device-door.ts';
import { firstToken, makeParts } from './open-server.ts';
import { limitConnections } from './operation/connections.ts';
import { leaveBody } from './operation/leave-body.ts';
import { startMaintenance } from './operation/maintenance.ts';
import { defaultLimits, type ServerOptions } from './options.ts';
import type { ServerParts } from './parts.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';

export interface RunningServer {
  readonly url: string;
  /** The first admin's, when the data was empty. */
  readonly token: string | undefined;
  readonly parts: ServerParts;
  /** Takes no more connections, lets downloads end, and closes the data. */
  close(graceMs: number): Promise<void>;
}

/** Far more than a device sends (600 bytes), or a client with a token. */
const mostHeaderBytes = 8192;
const defaultHeadersWithinMs = 10_000;
/** All of a request, its body too: an upload that takes longer goes on in another one. */
const requestWithinMs = 300_000;
const idleMs = 5_000;

/**
 * Starts a server.
 *
 * @throws OtaError SERVER_LISTEN_FAILED, and those of the store
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const store = await openSqliteStore(options.data, `process ${process.pid}, since ${new Date().toISOString()}`);
  const stopping = new AbortController();
  try {
    const parts = await makeParts(store, options, stopping.signal);
    const server = makeHttpServer(parts, options);
    await listen(server, options);
    const maintenance = startMaintenance(parts);
    return {
      url: urlOf(server),
      token: await firstToken(store),
      parts,
      async close(graceMs) {
        stopping.abort();
        await closeServer(server, parts, graceMs);
        await maintenance.stop();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function makeHttpServer(parts: ServerParts, options: ServerOptions): Server {
  const limits = { ...defaultLimits, ...options.limits };
  const settings = {
    maxHeaderSize: mostHeaderBytes,
    headersTimeout: options.headersWithinMs ?? defaultHeadersWithinMs,
    requestTimeout: requestWithinMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: 500,
  };
  const server = createServer(settings, makeListener(parts));
  const { mostConnections, mostConnectionsPerAddress: mostPerAddress } = limits;
  limitConnections(server, { mostConnections, mostPerAddress, trustedProxies: parts.trustedProxies }, parts.counters);
  return server;
}

/** Devices first: what is not for them goes through the framework. */
function makeListener(parts: ServerParts): RequestListener {
  const door = new DeviceDoor(parts);
  const api = getRequestListener(makeApi(parts).fetch, { overrideGlobalObjects: false, hostname: 'localhost' });
  return (request, response) => {
    if (door.handle(request, response)) return;
    if (!['POST', 'PUT', 'PATCH'].includes(request.method ?? '')) leaveBody(request, response);
    void api(request, response);
  };
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code ?? cause.message;
      reject(new OtaError('SERVER_LISTEN_FAILED', { address: `${host}:${port}`, reason }, cause));
    });
    server.listen(port, host, () => resolve());
  });
}

function urlOf(server: Server): string {
  // A server that listens on TCP has an address of that kind.
  const { address, family, port } = server.address() as AddressInfo;
  const wildcard = address === '0.0.0.0' || address === '::';
  const host = wildcard ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

async function closeServer(server: Server, { downloads }: ServerParts, graceMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const patience = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  await downloads.idle();
  clearTimeout(patience);
}
