import { createServer, type Server as HttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { OtaError } from '../../errors/ota-error.ts';
import { defaultLimits, type ServerOptions } from '../options.ts';
import type { ServerParts } from '../parts.ts';
import type { Certificate } from '../tls/certificate.ts';
import { createSecureServer } from '../tls/secure-server.ts';
import { makeApi } from './api/app.ts';
import { limitConnections } from './connections.ts';
import { DeviceHandler } from './device/device-handler.ts';
import { sendText } from './device/responses.ts';
import { handleRequests } from './handle-requests.ts';
import { ownHosts } from './own-addresses.ts';
import { nameProxyProtocol } from './proxy-protocol.ts';

/** Listening HTTP or HTTPS server. */
export interface WebServer {
  readonly url: string;
  readonly server: HttpServer | HttpsServer;
  /** Stops accepting connections, and destroys connections that are still open after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Maximum size of the request headers. A device sends about 600 bytes of headers, and a client with a token sends only slightly more. */
const mostHeaderBytes = 8192;
const defaultHeadersWithinMs = 10_000;
/** Time limit for a whole request, including its body. A longer upload continues in another request. */
const requestWithinMs = 300_000;
const defaultKeepAliveMs = 5_000;
/** Interval for closing unused connections during shutdown. */
const sweepEveryMs = 100;

interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Starts the server for devices, the API and the dashboard.
 *
 * @throws OtaError SERVER_LISTEN_FAILED
 */
export function openWebServer(
  parts: ServerParts,
  options: ServerOptions,
  certificate: Certificate | undefined,
): Promise<WebServer> {
  return open(parts, options, options, wholeListener(parts), certificate);
}

/**
 * Starts a server for devices only, over plain HTTP. Neither the API nor the dashboard is available there, so no token is sent unencrypted.
 *
 * @throws OtaError SERVER_LISTEN_FAILED
 */
export function openDeviceServer(parts: ServerParts, options: ServerOptions, place: Place): Promise<WebServer> {
  return open(parts, options, place, deviceListener(parts), undefined);
}

/** Passes requests to the device handler first, then to the framework if they are not for devices. */
function wholeListener(parts: ServerParts): RequestListener {
  const devices = new DeviceHandler(parts);
  const api = getRequestListener(makeApi(parts).fetch, { overrideGlobalObjects: false, hostname: 'localhost' });
  return (request, response) => {
    removeBasePath(request, parts);
    if (!devices.handle(request, response)) void api(request, response);
  };
}

/** Removes the base path from the URL. Some proxies have already removed it. */
function removeBasePath(request: IncomingMessage, { basePath }: Pick<ServerParts, 'basePath'>): void {
  const { url = '' } = request;
  if (basePath === '' || !url.startsWith(basePath)) return;
  const rest = url.slice(basePath.length);
  if (rest === '' || rest.startsWith('/') || rest.startsWith('?'))
    request.url = rest.startsWith('/') ? rest : `/${rest}`;
}

function deviceListener(parts: ServerParts): RequestListener {
  const devices = new DeviceHandler(parts);
  return (request, response) => {
    removeBasePath(request, parts);
    if (!devices.handle(request, response)) {
      sendText(response, 404, 'this address serves only devices, under /update and /files');
    }
  };
}

async function open(
  parts: ServerParts,
  options: ServerOptions,
  place: Place,
  listener: RequestListener,
  certificate: Certificate | undefined,
): Promise<WebServer> {
  const settings = {
    maxHeaderSize: mostHeaderBytes,
    headersTimeout: options.headersWithinMs ?? defaultHeadersWithinMs,
    requestTimeout: requestWithinMs,
    keepAliveTimeout: options.keepAliveMs ?? defaultKeepAliveMs,
    connectionsCheckingInterval: 500,
  };
  const server = certificate === undefined ? createServer(settings) : createSecureServer(settings, certificate);
  handleRequests(server, listener);
  nameProxyProtocol(server, parts.log);
  const { mostConnections, mostConnectionsPerAddress: mostPerAddress } = { ...defaultLimits, ...options.limits };
  const limits = { mostConnections, mostPerAddress, isTrustedProxy: parts.isTrustedProxy };
  const sockets = limitConnections(server, limits, parts.counters);
  await listen(server, place);
  return {
    url: urlOf(server, certificate === undefined ? 'http' : 'https'),
    server,
    close: (graceMs) => closeServer(server, sockets, graceMs),
  };
}

function listen(server: WebServer['server'], { host, port }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code ?? cause.message;
      reject(new OtaError('SERVER_LISTEN_FAILED', { address: `${host}:${port}`, reason }, cause));
    });
    server.listen(port, host, () => resolve());
  });
}

function urlOf(server: WebServer['server'], scheme: 'http' | 'https'): string {
  // `address()` returns an `AddressInfo` for every server that listens on TCP.
  const { address, family, port } = server.address() as AddressInfo;
  const isEverywhere = address === '0.0.0.0' || address === '::';
  const host = isEverywhere ? ownHosts(address).local : family === 'IPv6' ? `[${address}]` : address;
  return `${scheme}://${host}:${port}`;
}

async function closeServer(server: WebServer['server'], sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  closeUnused(server, sockets);
  const sweep = setInterval(() => closeUnused(server, sockets), sweepEveryMs);
  const stallTimer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(stallTimer);
}

/** Closes idle connections, including unused connections that browsers open in advance. */
function closeUnused(server: WebServer['server'], sockets: ReadonlySet<Socket>): void {
  server.closeIdleConnections();
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
}
