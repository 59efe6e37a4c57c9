import type { ImageKind } from '../../../core/model/artifact.ts';
import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import type { Step } from '../../../core/preflight/choice.ts';
import type { Release } from '../../../core/preflight/release.ts';
import type { ConfirmLevel } from '../../../delivery/confirm.ts';
import type { FoundTarget } from '../../../delivery/find-targets.ts';
import type { Target } from '../../../delivery/inventory.ts';
import type { Ledger } from '../../../delivery/ledger.ts';
import { type DevicePlan, planDevice } from '../../../delivery/plan-device.ts';
import type { SmallerArtifact } from '../../../delivery/smaller-artifact.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { ReleaseToSend } from './release.ts';

/** Artifacts to send to one device, or the reasons why it is blocked. */
export type UpdatePlan =
  | {
      readonly kind: 'send';
      readonly steps: readonly SendingStep[];
      readonly smaller: SmallerArtifact | undefined;
    }
  | Extract<DevicePlan, { readonly kind: 'blocked' }>;

/** Artifact and the release that contains it. */
export interface SendingStep extends Step<Release> {
  readonly from: ReleaseToSend;
}

/** Releases to plan with, and the facts and rules for all devices. */
export interface PlanOptions {
  readonly release: ReleaseToSend;
  readonly intermediateReleases: readonly ReleaseToSend[];
  /** Device facts from the command line. */
  readonly facts: DeviceFacts;
  readonly allow: ReadonlySet<string>;
  readonly ledger: Ledger;
}

/** Plans the update of one device from everything that is known about it. Nothing is sent. */
export function planUpdate(
  target: Target,
  found: FoundTarget | undefined,
  { release, intermediateReleases, facts, allow, ledger }: PlanOptions,
): UpdatePlan {
  const releases = [release, ...intermediateReleases];
  const plan = planDevice(
    target,
    { entry: ledger.entry(target.name), sketchMd5: found?.sketchMd5 },
    {
      release: release.release,
      intermediateReleases: intermediateReleases.map(({ release: each }) => each),
      knownBuilds: releases.flatMap(({ manifest }) => manifest ?? []),
      kind: release.kind,
      facts,
      allow,
    },
  );
  if (plan.kind === 'blocked') return plan;
  const steps = plan.steps.flatMap((step) => {
    const from = releases.find((each) => each.release === step.release);
    return from === undefined ? [] : [{ ...step, from }];
  });
  return { kind: 'send', steps, smaller: plan.smaller };
}

interface ConfirmWish {
  /** Level that the user passed. */
  readonly confirm?: ConfirmLevel | 'none' | undefined;
  /** Level in the configuration. */
  readonly configured: ConfirmLevel | 'none' | undefined;
  readonly hasCanaries: boolean;
  readonly kind: ImageKind;
}

/**
 * Returns the confirmation level. With canaries, the level is at least `returned`.
 *
 * @throws OtaError OPTION_INVALID
 */
export function confirmLevel({
  confirm,
  configured = 'none',
  hasCanaries,
  kind,
}: ConfirmWish): ConfirmLevel | undefined {
  const wanted = confirm ?? configured;
  if (wanted === 'proven' && kind === 'filesystem') {
    if (confirm === undefined) return 'returned';
    throw new OtaError('OPTION_INVALID', {
      option: '--confirm',
      value: wanted,
      expected: 'must be returned or none for a filesystem, because devices report only the MD5 of their sketch',
      hint: 'Use --confirm returned.',
    });
  }
  if (wanted === 'none') return hasCanaries ? 'returned' : undefined;
  return wanted;
}
