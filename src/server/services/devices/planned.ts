import type { ImageKind } from '../../../core/model/artifact.ts';
import type { Artifact } from '../../../core/model/manifest.ts';
import { type Plan, plan } from '../../../core/preflight/plan.ts';
import type { Release } from '../../../core/preflight/release.ts';
import { Lru } from '../../lru.ts';
import type { DeviceRecord, ReleaseRecord } from '../../storage/records.ts';
import type { DeviceReport } from './report.ts';
import { deviceFacts, type Running } from './running.ts';

interface Candidate extends Release {
  readonly artifacts: readonly Artifact[];
  readonly record: ReleaseRecord;
}

interface Remembered {
  readonly steppingStones: readonly ReleaseRecord[];
  /** By what is known of the device. */
  readonly plans: Lru<Plan<Candidate>>;
}

/** Who asks for what kind of image. */
interface KnownDevice {
  readonly report: DeviceReport;
  readonly running: Running;
  readonly record: DeviceRecord;
  readonly kind: ImageKind;
}

/** Devices of a fleet differ in little: their builds and their boards. */
const mostPlans = 256;
const remembered = new WeakMap<ReleaseRecord, Remembered>();

/** What the planner says of a device, which is the same for all of which the same is known: it is asked once. */
export function planned(
  device: KnownDevice,
  target: ReleaseRecord,
  steppingStones: readonly ReleaseRecord[],
): Plan<Candidate> {
  const plans = plansFor(target, steppingStones);
  const key = keyOf(device);
  const known = plans.get(key);
  if (known !== undefined) return known;
  const facts = { ...deviceFacts(device.report, device.running, device.record), kind: device.kind };
  const stones = steppingStones.filter(({ id, board }) => id !== target.id && board === target.board);
  const made = plan({ facts, target: candidate(target), steppingStones: stones.map(candidate) });
  plans.set(key, made);
  return made;
}

/** All that `deviceFacts` makes its facts of. What a device says of its version is not among it, and must not make another plan. */
function keyOf({ report, running, record, kind }: KnownDevice): string {
  const { freeSpaceBytes, facts } = report;
  const build = running.by === 'md5' ? running.builds[0] : undefined;
  const said = `${freeSpaceBytes} ${facts.sketchSizeBytes} ${facts.chipSizeBytes} ${facts.fsStart}`;
  return `${said} ${build?.release.id} ${build?.flashMode} ${kind} ${record.atomicFs} ${record.board}`;
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
