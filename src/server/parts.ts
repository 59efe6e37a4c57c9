import type { Changes } from './changes.ts';
import type { DeviceParts } from './device/parts.ts';
import type { Verifier } from './publish/verifier.ts';
import type { Rollouts } from './rollout/rollouts.ts';
import type { Turns } from './turns.ts';

/** What the whole server is made of; `open-server.ts` puts it together. */
export interface ServerParts extends DeviceParts {
  readonly rollouts: Rollouts;
  /** One publication at a time, and nothing is swept away meanwhile. */
  readonly publishing: Turns;
  readonly verifier: Verifier;
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
