import { LRUCache } from 'lru-cache';
import type { ImageKind } from '../../../core/model/artifact.ts';
import type { Artifact } from '../../../core/model/manifest.ts';
import { type Plan, plan } from '../../../core/preflight/plan.ts';
import { rulesAllowedByProject } from '../../../core/preflight/project-rules.ts';
import type { Release } from '../../../core/preflight/release.ts';
import type { DeviceRecord, ReleaseRecord } from '../../storage/records.ts';
import type { DeviceReport } from './report.ts';
import { factsOfRunning, type Running } from './running.ts';

interface Candidate extends Release {
  readonly artifacts: readonly Artifact[];
  readonly record: ReleaseRecord;
}

interface Remembered {
  readonly intermediateReleases: readonly ReleaseRecord[];
  /** Cached plans, keyed by device facts and the rules allowed for the device. The order of the facts depends on what a device reports. */
  readonly plans: LRUCache<string, Plan<Candidate>>;
}

/** Device that makes the request, and the image kind it requests. */
interface KnownDevice {
  readonly report: DeviceReport;
  readonly running: Running;
  readonly record: DeviceRecord;
  readonly kind: ImageKind;
}

/** Number of cached plans per target; a fleet has only a few combinations of build and board. */
const mostPlans = 256;
const remembered = new WeakMap<ReleaseRecord, Remembered>();

/** Returns the plan for a device. Devices with the same facts share a cached plan. */
export function planned(
  device: KnownDevice,
  target: ReleaseRecord,
  intermediateReleases: readonly ReleaseRecord[],
): Plan<Candidate> {
  const plans = plansFor(target, intermediateReleases);
  const facts = { ...factsOfRunning(device.report, device.running, device.record), kind: device.kind };
  const { allow = [] } = device.record;
  const key = `${JSON.stringify(facts)} ${allow.join(' ')}`;
  const known = plans.get(key);
  if (known !== undefined) return known;
  const stones = intermediateReleases.filter(({ id, board }) => id !== target.id && board === target.board);
  const made = plan({
    facts,
    target: candidate(target),
    intermediateReleases: stones.map(candidate),
    allow: new Set(allow),
    allowFor: rulesAllowedByProject,
  });
  plans.set(key, made);
  return made;
}

/** Returns a target's plan cache. Releases are immutable objects: a change to the target or the intermediate releases creates new ones. */
function plansFor(
  target: ReleaseRecord,
  intermediateReleases: readonly ReleaseRecord[],
): LRUCache<string, Plan<Candidate>> {
  const known = remembered.get(target);
  if (known?.intermediateReleases === intermediateReleases) return known.plans;
  const plans = new LRUCache<string, Plan<Candidate>>({ max: mostPlans });
  remembered.set(target, { intermediateReleases, plans });
  return plans;
}

function candidate(record: ReleaseRecord): Candidate {
  return { ...record.manifest, record };
}
