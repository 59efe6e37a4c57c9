import type { Log } from './observability/log.ts';
import type { VerifierLimits } from './services/releases/verifier.ts';
import type { TlsOptions } from './tls/certificate.ts';

/** Options of a server. */
export interface ServerOptions {
  /** Folder of the certificates, and of the records and blobs unless their URLs name other places. */
  readonly data: string;
  /** Place of the records; by default `sqlite:DATA/ota.db`. */
  readonly storeUrl?: string | undefined;
  /** Place of the blobs; by default `file:DATA`. */
  readonly blobsUrl?: string | undefined;
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
  readonly log: Log;
  /** Enables HTTPS. Without it, the server uses HTTP. */
  readonly tls?: TlsOptions | undefined;
  /** Additional address that serves devices only, over plain HTTP. */
  readonly deviceListen?: { readonly host: string; readonly port: number } | undefined;
  readonly limits?: Partial<ServerLimits>;
  /** Addresses and ranges (CIDR) of proxies whose X-Forwarded-For is trusted. */
  readonly trustedProxies?: readonly string[];
  /** Path under which a web server in front has the folder of blobs, for X-Accel-Redirect. */
  readonly accelPath?: string | undefined;
  readonly openMetrics?: boolean;
  /** Milliseconds in which a client must send the headers of a request. */
  readonly headersWithinMs?: number;
  /** Milliseconds that a connection may stay open without a request. */
  readonly keepAliveMs?: number;
  /** Milliseconds in which a downloading client may read nothing. */
  readonly stallMs?: number;
}

export interface ServerLimits extends VerifierLimits {
  /** Concurrent downloads. Further devices get 304 and check again later. */
  readonly mostDownloads: number;
  readonly mostConnections: number;
  readonly mostConnectionsPerAddress: number;
  /** Devices per project. */
  readonly mostDevices: number;
  /** New devices per address: the number allowed at once, and the rate per second after that. */
  readonly newDevicesPerAddress: number;
  readonly newDevicesPerSecond: number;
  /** Rejected requests per address: the number allowed at once, and the rate per second after that. */
  readonly failuresPerAddress: number;
  readonly failuresPerSecond: number;
}

export const defaultLimits: ServerLimits = {
  mostDownloads: 5000,
  mostConnections: 10_000,
  // Enough for a house or a factory behind one address.
  mostConnectionsPerAddress: 1024,
  mostDevices: 250_000,
  newDevicesPerAddress: 1000,
  newDevicesPerSecond: 10,
  failuresPerAddress: 100,
  failuresPerSecond: 1,
  // A build of 3.5 MB takes 1 s of CPU time; a slow computer under load may take 50 times as long.
  verificationMs: 60_000,
  verificationHeapMb: 256,
};
