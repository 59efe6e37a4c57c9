import type { DeviceFacts } from '../../domain/device-facts.ts';
import type { Artefact } from '../../domain/manifest.ts';
import { type Plan, plan } from '../../preflight/plan.ts';
import type { Release } from '../../preflight/release.ts';
import { Lru } from '../lru.ts';
import type { ReleaseRecord } from '../store/records.ts';

interface Candidate extends Release {
  readonly artefacts: readonly Artefact[];
  readonly record: ReleaseRecord;
}

interface Remembered {
  readonly steppingStones: readonly ReleaseRecord[];
  /** By the facts of the device. */
  readonly plans: Lru<Plan<Candidate>>;
}

/** Devices of a fleet differ in little: their builds and their boards. */
const mostPlans = 256;
const remembered = new WeakMap<ReleaseRecord, Remembered>();

/** What the planner says of a device, which is the same for all of which the same is known: it is asked once. */
export function planned(
  facts: DeviceFacts,
  target: ReleaseRecord,
  steppingStones: readonly ReleaseRecord[],
): Plan<Candidate> {
  const plans = plansFor(target, steppingStones);
  const key = JSON.stringify(facts);
  const known = plans.get(key);
  if (known !== undefined) return known;
  const stones = steppingStones.filter(({ id, board }) => id !== target.id && board === target.board);
  const made = plan({ facts, target: candidate(target), steppingStones: stones.map(candidate) });
  plans.set(key, made);
  return made;
}

/** Records never change: where something else is offered, or on the way, there are others. */
function plansFor(target: ReleaseRecord, steppingStones: readonly ReleaseRecord[]): Lru<Plan<Candidate>> {
  const known = remembered.get(target);
  if (known?.steppingStones === steppingStones) return known.plans;
  const plans = new Lru<Plan<Candidate>>(mostPlans);
  remembered.set(target, { steppingStones, plans });
  return plans;
}

function candidate(record: ReleaseRecord): Candidate {
  return { ...record.manifest, record };
}
