import type { DeviceParts } from './http/device/parts.ts';
import type { ServiceParts } from './services/parts.ts';

/** Parts of the whole server, created in `compose.ts`. */
export interface ServerParts extends DeviceParts, ServiceParts {
  /** Whether `/metrics` is served without a token. */
  readonly openMetrics: boolean;
  /** Text of `/metrics` in the Prometheus format. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  /** Folder of the authority that issued the certificate of this server. Undefined without an authority of its own. */
  readonly authority: string | undefined;
  /** Aborts when the server is asked to stop. */
  readonly stopping: AbortSignal;
}
