import type { Log } from './observability/log.ts';
import type { VerifierLimits } from './services/releases/verifier.ts';
import type { TlsOptions } from './tls/certificate.ts';

/** How a server is run. */
export interface ServerOptions {
  /** Folder of its data. */
  readonly data: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly log: Log;
  /** https; without it, http. */
  readonly tls?: TlsOptions | undefined;
  /** Where devices, and nobody else, are answered over plain HTTP as well. */
  readonly deviceListen?: { readonly host: string; readonly port: number } | undefined;
  readonly limits?: Partial<ServerLimits>;
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[];
  /** The path under which a web server in front has the folder of blobs, for X-Accel-Redirect. */
  readonly accelPath?: string | undefined;
  readonly openMetrics?: boolean;
  /** What a client may take to send the headers of a request. */
  readonly headersWithinMs?: number;
  /** How long a connection may stay open without a request. */
  readonly keepAliveMs?: number;
  /** How long who downloads may take nothing. */
  readonly stallMs?: number;
}

export interface ServerLimits extends VerifierLimits {
  /** At one time; who comes later gets 304 and asks again. */
  readonly mostDownloads: number;
  readonly mostConnections: number;
  readonly mostConnectionsPerAddress: number;
  /** Of one project. */
  readonly mostDevices: number;
  /** Devices never seen before, of one address: so many at once, and so many a second after that. */
  readonly newDevicesPerAddress: number;
  readonly newDevicesPerSecond: number;
  /** Requests of one address that were refused. */
  readonly failuresPerAddress: number;
  readonly failuresPerSecond: number;
}

export const defaultLimits: ServerLimits = {
  mostDownloads: 5000,
  mostConnections: 10_000,
  // A house or a factory behind one address.
  mostConnectionsPerAddress: 1024,
  mostDevices: 250_000,
  newDevicesPerAddress: 1000,
  newDevicesPerSecond: 10,
  failuresPerAddress: 100,
  failuresPerSecond: 1,
  // A build of 3.5 MB takes 1 s of CPU; a slow computer under load may take 50 times as long.
  verificationMs: 60_000,
  verificationHeapMb: 256,
};
