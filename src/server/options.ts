import type { Log } from './observability/log.ts';
import type { VerifierLimits } from './services/releases/verifier.ts';
import type { TlsOptions } from './tls/certificate.ts';

/** Server options. */
export interface ServerOptions {
  /** Folder for the certificates, and for the records and blobs unless URLs are given for them. */
  readonly data: string;
  /** URL of the records; defaults to `sqlite:DATA/ota.db`. */
  readonly storeUrl?: string | undefined;
  /** URL of the blobs; defaults to `file:DATA`. */
  readonly blobsUrl?: string | undefined;
  readonly host: string;
  /** 0 selects a free port. */
  readonly port: number;
  readonly log: Log;
  /** Enables HTTPS. If undefined, the server uses HTTP. */
  readonly tls?: TlsOptions | undefined;
  /** Additional address that serves devices only, over plain HTTP. */
  readonly deviceListen?: { readonly host: string; readonly port: number } | undefined;
  readonly limits?: Partial<ServerLimits>;
  /** Addresses and ranges (CIDR) of proxies whose X-Forwarded-For header is trusted. */
  readonly trustedProxies?: readonly string[];
  /** Path at which a web server in front serves the blob folder, for X-Accel-Redirect. */
  readonly accelPath?: string | undefined;
  readonly openMetrics?: boolean;
  /** Milliseconds within which a client must send the request headers. */
  readonly headersWithinMs?: number;
  /** Milliseconds for which a connection may stay open without a request. */
  readonly keepAliveMs?: number;
  /** Milliseconds for which a client may stop reading during a download. */
  readonly stallMs?: number;
}

export interface ServerLimits extends VerifierLimits {
  /** Concurrent downloads. Devices beyond this limit are sent 304 and check again later. */
  readonly mostDownloads: number;
  readonly mostConnections: number;
  readonly mostConnectionsPerAddress: number;
  /** Maximum number of devices per project. */
  readonly mostDevices: number;
  /** New devices per address: the number allowed at once, then the rate per second. */
  readonly newDevicesPerAddress: number;
  readonly newDevicesPerSecond: number;
  /** Rejected requests per address: the number allowed at once, then the rate per second. */
  readonly failuresPerAddress: number;
  readonly failuresPerSecond: number;
}

export const defaultLimits: ServerLimits = {
  mostDownloads: 5000,
  mostConnections: 10_000,
  // Enough for a household or a factory behind one address.
  mostConnectionsPerAddress: 1024,
  mostDevices: 250_000,
  newDevicesPerAddress: 1000,
  newDevicesPerSecond: 10,
  failuresPerAddress: 100,
  failuresPerSecond: 1,
  // Verifying a 3.5 MB build takes 1 s of CPU time; a slow computer under load may need 50 times as long.
  verificationMs: 60_000,
  verificationHeapMb: 256,
};
