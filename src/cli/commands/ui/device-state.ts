import type { DeviceStatus } from '../../../api/admin-info.ts';
import { sizeText } from '../../../core/model/quantity-text.ts';
import type { PreflightFinding } from '../../../core/preflight/run-rules.ts';
import { recognize } from '../../../core/preflight/running.ts';
import type { Target } from '../../../delivery/inventory.ts';
import type { LedgerEntry } from '../../../delivery/ledger.ts';
import type { UpdatePlan } from '../../shared/updates/plan-updates.ts';
import type { ReleaseToSend } from '../../shared/updates/release.ts';
import { nameOfBuild } from './build-for-device.ts';
import type { SeenTarget } from './sightings.ts';

/** Update of a device since the command started. */
export type UpdateState =
  | {
      readonly kind: 'active';
      readonly text: string;
      /** Fraction of the image that was sent; undefined while nothing is sent. */
      readonly share?: number | undefined;
    }
  | {
      readonly kind: 'ended';
      readonly outcome: 'updated' | 'failed' | 'not started';
      readonly text: string;
      readonly hint: string | undefined;
      readonly imageSha256: string;
    };

/** Reason why a device cannot be updated, and what to do about it. */
interface BlockingReason {
  /** Preflight rule, if a rule blocks the update. */
  readonly rule?: string | undefined;
  readonly reason: string;
  readonly fix: string;
}

/** Result of preflight for a device. */
export type Readiness =
  | {
      readonly kind: 'ready';
      readonly build: ReleaseToSend;
      readonly plan: Extract<UpdatePlan, { readonly kind: 'send' }>;
      /** File to send and its size. */
      readonly artifact: string;
      readonly warnings: readonly PreflightFinding[];
    }
  | { readonly kind: 'blocked'; readonly reasons: readonly BlockingReason[] };

/** Device of the inventory, as the page shows it. */
export interface DeviceState {
  readonly target: Target;
  readonly seen: SeenTarget;
  /** Description of the running firmware. */
  readonly running: string;
  readonly readiness: Readiness;
  readonly update: UpdateState | undefined;
  readonly status: DeviceStatus;
}

export function readinessOf(plan: UpdatePlan, build: ReleaseToSend): Readiness {
  if (plan.kind === 'blocked') {
    const reasons = plan.blockedBy.map(({ rule, message, fix }) => ({ rule, reason: message, fix }));
    return { kind: 'blocked', reasons };
  }
  const files = plan.steps.map(({ artifact }) => `${artifact.file} (${sizeText(artifact.sizeBytes)})`);
  return {
    kind: 'ready',
    build,
    plan,
    artifact: files.join(', then '),
    warnings: plan.steps.flatMap(({ warnings }) => warnings),
  };
}

interface Observation {
  readonly seen: SeenTarget;
  readonly entry: LedgerEntry | undefined;
  readonly builds: readonly ReleaseToSend[];
  readonly update: UpdateState | undefined;
}

/** Describes the firmware that a device runs, as far as it is known. */
export function runningText({ seen, entry, builds, update }: Observation): string {
  const { sketchMd5 } = seen;
  if (sketchMd5 !== undefined) {
    const build = builds.find(
      ({ manifest }) => manifest !== undefined && recognize(sketchMd5, [manifest]) !== undefined,
    );
    if (build !== undefined) return nameOfBuild(build);
    if (entry?.sketchMd5 === sketchMd5 && entry.version !== undefined) return entry.version;
    return `unknown build (sketch MD5 ${sketchMd5})`;
  }
  const sent = sentBuild(update, builds);
  if (sent !== undefined) return `${nameOfBuild(sent)} (just sent; the device does not announce its sketch)`;
  if (entry?.version !== undefined) return `${entry.version} on ${entry.provenAt.slice(0, 10)}; not announced now`;
  return 'unknown; the device does not announce its sketch';
}

/** Returns the build that was sent successfully since the command started. */
function sentBuild(update: UpdateState | undefined, builds: readonly ReleaseToSend[]): ReleaseToSend | undefined {
  if (update?.kind !== 'ended' || update.outcome !== 'updated') return undefined;
  return builds.find(({ imageSha256 }) => imageSha256 === update.imageSha256);
}

/** Returns the status of a device. An announced sketch outweighs the result of the last update. */
export function deviceStatusOf(readiness: Readiness, { seen, builds, update }: Observation): DeviceStatus {
  if (update?.kind === 'active') return 'updating';
  const { sketchMd5 } = seen;
  const build = readiness.kind === 'ready' ? readiness.build : undefined;
  const isCurrent =
    build !== undefined &&
    (sketchMd5 === undefined
      ? sentBuild(update, builds) === build
      : build.sketchMd5s.some(({ md5 }) => md5 === sketchMd5));
  if (isCurrent) return 'up-to-date';
  if (update?.kind === 'ended' && update.outcome === 'failed') return 'failed';
  if (readiness.kind === 'blocked') return 'blocked';
  return sketchMd5 === undefined ? 'unknown' : 'pending';
}
