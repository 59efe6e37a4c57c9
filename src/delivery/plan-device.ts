import type { ImageKind } from '../core/model/artifact.ts';
import type { DeviceFacts } from '../core/model/device-facts.ts';
import type { Manifest } from '../core/model/manifest.ts';
import { plan, type Refusal, type Step } from '../core/preflight/plan.ts';
import type { Release } from '../core/preflight/release.ts';
import { recognize } from '../core/preflight/running.ts';
import type { Target } from './inventory.ts';
import { type LedgerEntry, provenFacts } from './ledger.ts';

export interface PlanQuestion {
  readonly release: Release;
  /** Sketches that a device may go through on the way, the preferred ones first. */
  readonly steppingStones: readonly Release[];
  /** Builds that the device may be running now. */
  readonly knownBuilds: readonly Manifest[];
  readonly kind: ImageKind;
  /** What the command line says. */
  readonly facts: DeviceFacts;
  readonly allow: ReadonlySet<string>;
}

/** What is known of one device besides what the configuration says. */
export interface Known {
  /** What the ledger has of it. */
  readonly entry: LedgerEntry | undefined;
  /** The MD5 that its sketch shows today. */
  readonly sketchMd5: string | undefined;
}

/** The artifacts that a device gets, one after the other; most often there is one. */
export type DevicePlan =
  | { readonly kind: 'send'; readonly steps: readonly Step<Release>[] }
  | { readonly kind: 'refuse'; readonly refused: readonly Refusal[] };

/**
 * Asks the planner what one device gets. What is known of it comes from the configuration, then from what was proven, then from the command
 * line: the later word counts.
 */
export function planDevice(target: Target, known: Known, question: PlanQuestion): DevicePlan {
  const { release, steppingStones, knownBuilds, kind, allow } = question;
  const running = known.sketchMd5 === undefined ? undefined : recognize(known.sketchMd5, knownBuilds);
  const facts = mergeFacts(
    target.facts,
    provenFacts(known.entry, known.sketchMd5, release.image),
    running?.facts ?? {},
    question.facts,
    { kind, transport: target.method },
  );
  const decided = plan({ facts, target: release, steppingStones, allow });
  switch (decided.kind) {
    case 'send':
      return { kind: 'send', steps: [decided] };
    case 'hops':
      return { kind: 'send', steps: decided.hops };
    case 'refuse':
      return decided;
  }
}

/** Unknown in the later does not hide what the earlier know. */
function mergeFacts(...all: readonly DeviceFacts[]): DeviceFacts {
  const merged: Record<string, unknown> = {};
  for (const facts of all) {
    for (const [name, value] of Object.entries(facts)) if (value !== undefined) merged[name] = value;
  }
  // Made of nothing but keys of facts with their values.
  return merged as DeviceFacts;
}
