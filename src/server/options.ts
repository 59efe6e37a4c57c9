import type { Log } from './observability/log.ts';
import type { MqttSettings } from './services/mqtt/publisher.ts';
import type { Verifier, VerifierLimits } from './services/releases/verifier.ts';
import type { StorageEnvironment } from './storage/blobs/s3/s3-settings.ts';
import type { TlsOptions } from './tls/certificate.ts';

/** Server options. */
export interface ServerOptions {
  /** Folder for the certificates. It also contains the records and blobs unless they have their own URLs. */
  readonly data: string;
  /** URL of the records; defaults to `sqlite:DATA/ota.db`. */
  readonly storeUrl?: string | undefined;
  /** URL of the blobs; defaults to `file:DATA`. */
  readonly blobsUrl?: string | undefined;
  /** Environment variables with the credentials of the stores. */
  readonly env?: StorageEnvironment | undefined;
  /** True if a database is accepted that is older than the blobs, so that the newest records are lost. */
  readonly acceptsOlderDatabase?: boolean | undefined;
  readonly host: string;
  /** Port to listen on; 0 selects a free port. */
  readonly port: number;
  readonly log: Log;
  /** Enables HTTPS. If undefined, the server uses HTTP. */
  readonly tls?: TlsOptions | undefined;
  /** Additional address that serves devices only, over plain HTTP. */
  readonly deviceListen?: { readonly host: string; readonly port: number } | undefined;
  readonly limits?: Partial<ServerLimits>;
  /** Verifier that several servers of one process share; the caller closes it. By default, each server has its own. */
  readonly verifier?: Verifier | undefined;
  /** Addresses and ranges (CIDR) of proxies whose X-Forwarded-For header is trusted. */
  readonly trustedProxies?: readonly string[];
  /** Header in which trusted proxies send the name of the person whom they have logged in; undefined if only tokens log in. */
  readonly authHeader?: string | undefined;
  /** Path below which a reverse proxy serves this server, such as `/ota`. Requests may contain the path or not. */
  readonly basePath?: string | undefined;
  /** Path at which a reverse proxy serves the blob folder, for X-Accel-Redirect. */
  readonly accelPath?: string | undefined;
  readonly openMetrics?: boolean;
  /** MQTT broker to which devices and rollouts are published. */
  readonly mqtt?: MqttSettings | undefined;
  /** New file for the first admin token; by default, a file in the data folder. */
  readonly tokenFile?: string | undefined;
  /** Maximum time to receive the request headers, in milliseconds. */
  readonly headersWithinMs?: number;
  /** Maximum time that a connection may stay open without a request, in milliseconds. */
  readonly keepAliveMs?: number;
  /** Maximum time that a client may stop reading during a download, in milliseconds. */
  readonly stallMs?: number;
}

export interface ServerLimits extends VerifierLimits {
  /** Maximum number of concurrent downloads. Devices beyond this limit receive 503 and check again later. */
  readonly mostDownloads: number;
  readonly mostConnections: number;
  readonly mostConnectionsPerAddress: number;
  /** Maximum number of devices per project that are not enrolled and have no credentials. */
  readonly mostDevices: number;
  /** Maximum number of new devices per hour from a network: an IPv4 address or an IPv6 /64. */
  readonly newDevicesPerNetwork: number;
  /** Limit on rejected requests per address: the burst size, followed by the rate per second. */
  readonly failuresPerAddress: number;
  readonly failuresPerSecond: number;
  /** Maximum total size of a token's uploads that no release refers to, in bytes. */
  readonly unpublishedBytesPerToken: number;
  /** Maximum number of a token's uploads that no release refers to, including unfinished and empty uploads. */
  readonly unpublishedFilesPerToken: number;
}

export const defaultLimits: ServerLimits = {
  mostDownloads: 5000,
  mostConnections: 10_000,
  // Enough connections for a household or a factory behind one address.
  mostConnectionsPerAddress: 1024,
  mostDevices: 250_000,
  // A real site adds fewer devices at once. At this rate, a network needs ten days to fill the table with invented devices.
  newDevicesPerNetwork: 1000,
  failuresPerAddress: 100,
  failuresPerSecond: 1,
  // A build for the largest flash has five files of at most 16 MiB. The remaining 48 MiB are for an earlier attempt.
  unpublishedBytesPerToken: 128 * 1024 * 1024,
  // A release has at most eight files, which are uploaded just before it is published.
  unpublishedFilesPerToken: 1000,
  // Verifying a 3.5 MB build takes 1 s of CPU time; a slow computer under load may need 50 times as long.
  verificationMs: 60_000,
  verificationHeapMb: 256,
};
