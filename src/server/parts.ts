import type { AccessFailures } from './auth/access-failures.ts';
import type { DeviceParts } from './http/device/parts.ts';
import type { MetricsText } from './observability/metrics.ts';
import type { Health } from './services/health.ts';
import type { ServiceParts } from './services/parts.ts';

/** Parts of the complete server, created in `compose.ts`. */
export interface ServerParts extends DeviceParts, ServiceParts {
  readonly health: Health;
  /** Rate limit for rejected tokens and log-ins, by address. */
  readonly accessFailures: AccessFailures;
  /** True if `/metrics` requires no token. */
  readonly openMetrics: boolean;
  /** Path below which a reverse proxy serves this server, such as `/ota`; empty if there is none. */
  readonly basePath: string;
  /** Header with the name of the person whom a trusted proxy has logged in, in lower case; undefined if no proxy logs people in. */
  readonly authHeader: string | undefined;
  /** Returns the `/metrics` text, of the whole server or of one project. */
  readonly metrics: (project?: string) => Promise<MetricsText>;
  /** Folder of the authority that issued this server's certificate; undefined if the server does not have its own authority. */
  readonly authority: string | undefined;
  /** Signal that aborts when the server begins to stop. */
  readonly stopping: AbortSignal;
}
