import type { ImageKind } from '../core/model/artifact.ts';
import type { DeviceFacts } from '../core/model/device-facts.ts';
import type { Manifest } from '../core/model/manifest.ts';
import type { Step } from '../core/preflight/choice.ts';
import { type IntermediateProposal, proposeIntermediate } from '../core/preflight/intermediate.ts';
import { type Plan, plan } from '../core/preflight/plan.ts';
import type { Release } from '../core/preflight/release.ts';
import { recognize } from '../core/preflight/running.ts';
import { type UnusableIntermediate, unusableIntermediates } from '../core/preflight/unusable-intermediates.ts';
import type { Target } from './inventory.ts';
import { type LedgerEntry, provenFacts } from './ledger.ts';
import { type SmallerArtifact, smallerArtifact } from './smaller-artifact.ts';
import { webUpdater } from './web/updaters.ts';

export interface DevicePlanOptions {
  readonly release: Release;
  /** Candidate intermediate releases, in order of preference. */
  readonly intermediateReleases: readonly Release[];
  /** Candidate builds that the device may be running. */
  readonly knownBuilds: readonly Manifest[];
  readonly kind: ImageKind;
  /** Device facts from the command line. */
  readonly facts: DeviceFacts;
  readonly allow: ReadonlySet<string>;
}

/** Facts about a device that are not in the configuration. */
export interface ObservedFacts {
  /** Ledger entry of the device. */
  readonly entry: LedgerEntry | undefined;
  /** MD5 of the running sketch, if the device announces it. */
  readonly sketchMd5: string | undefined;
}

/** Artifacts to send to a device in order, usually one. If nothing can be sent, the blocking findings. */
export type DevicePlan =
  | {
      readonly kind: 'send';
      readonly steps: readonly Step<Release>[];
      /** Smaller artifact that only unknown facts block, if any. */
      readonly smaller: SmallerArtifact | undefined;
    }
  | (Extract<Plan<Release>, { readonly kind: 'blocked' }> & {
      /** Intermediate sketch that would make the update possible, if any. */
      readonly intermediate: IntermediateProposal | undefined;
      /** Intermediate releases that do not help. */
      readonly unusable: readonly UnusableIntermediate<Release>[];
    });

/**
 * Plans the update of one device. Device facts are merged from the configuration, the ledger, the running build and the command line.
 * Later sources override earlier sources.
 */
export function planDevice(target: Target, observed: ObservedFacts, question: DevicePlanOptions): DevicePlan {
  const { release, intermediateReleases, knownBuilds, kind, allow } = question;
  const running = observed.sketchMd5 === undefined ? undefined : recognize(observed.sketchMd5, knownBuilds);
  const facts = mergeFacts(
    target.facts,
    provenFacts(observed.entry, observed.sketchMd5, release.image),
    running?.facts ?? {},
    question.facts,
    { kind, transport: target.method },
  );
  const sendable = acceptedArtifacts(release, target);
  const decided = plan({ facts, target: sendable, intermediateReleases, allow });
  if (decided.kind === 'blocked') {
    const unusable = unusableIntermediates({ facts, target: sendable, intermediateReleases, allow });
    return { ...decided, intermediate: proposeIntermediate(facts, sendable, decided, allow), unusable };
  }
  const steps = decided.kind === 'send' ? [decided] : decided.hops;
  return {
    kind: 'send',
    steps: steps.map((step) => (step.release === sendable ? { ...step, release } : step)),
    smaller: decided.kind === 'send' ? smallerArtifact(facts, sendable, decided.artifact, allow) : undefined,
  };
}

/** Omits the artifacts that the device's web updater rejects, unless the user named one of them. */
function acceptedArtifacts(release: Release, { method, preset, field }: Target): Release {
  const isRawOnly = method === 'web' && webUpdater(preset, field).isRawOnly === true;
  const raw = release.artifacts.filter(({ encoding }) => encoding === 'identity');
  return isRawOnly && raw.length > 0 ? { ...release, artifacts: raw } : release;
}

/** Merges facts. An unknown (undefined) value does not override a known value. */
function mergeFacts(...all: readonly DeviceFacts[]): DeviceFacts {
  const merged: Record<string, unknown> = {};
  for (const facts of all) {
    for (const [name, value] of Object.entries(facts)) if (value !== undefined) merged[name] = value;
  }
  // All keys and values are from `DeviceFacts` objects.
  return merged as DeviceFacts;
}
