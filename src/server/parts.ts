import type { DeviceParts } from './http/device/parts.ts';
import type { Changes } from './services/events/changes.ts';
import type { ServiceParts } from './services/parts.ts';

/** What the whole server is made of; `compose.ts` puts it together. */
export interface ServerParts extends DeviceParts, ServiceParts {
  /** /metrics without a token. */
  readonly openMetrics: boolean;
  /** Text of /metrics, in the format of Prometheus. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  readonly changes: Changes;
  /** Folder of the authority whose certificate this server shows; undefined where it has none of its own. */
  readonly authority: string | undefined;
  /** Aborts when the server is asked to end. */
  readonly stopping: AbortSignal;
}
