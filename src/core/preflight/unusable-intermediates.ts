import { choose } from './choice.ts';
import { explainBlock } from './explanation.ts';
import { allowances, type PlanInput } from './plan.ts';
import type { Release } from './release.ts';
import type { PreflightFinding } from './run-rules.ts';
import { factsAfter } from './running.ts';

/** Intermediate release that does not help, although the update is blocked. */
export interface UnusableIntermediate<Candidate extends Release> {
  readonly release: Candidate;
  /** Reason, as the end of a sentence about the intermediate release. */
  readonly reason: string;
}

/** Explains why each intermediate release of a blocked update does not help. */
export function unusableIntermediates<Candidate extends Release>(
  question: PlanInput<Candidate>,
): readonly UnusableIntermediate<Candidate>[] {
  const { facts, target, intermediateReleases = [] } = question;
  const allow = allowances(question);
  return intermediateReleases.map((release): UnusableIntermediate<Candidate> => {
    if (release.image.kind !== 'sketch') {
      return { release, reason: `is a ${release.image.kind}, but only a sketch can install the next update` };
    }
    const { steps, blocked } = choose({ ...facts, kind: 'sketch' }, release, allow(release));
    const [step] = steps;
    const [best] = explainBlock(blocked);
    if (step === undefined) return { release, reason: `cannot be installed: ${firstOf(best?.findings)}` };
    const after = { ...factsAfter(facts, release, step.artifact), kind: facts.kind };
    const [next] = explainBlock(choose(after, target, allow(target)).blocked);
    const reason = `can be installed, but then ${next?.artifact.file ?? 'the update'} is blocked: ${firstOf(next?.findings)}`;
    return { release, reason };
  });
}

function firstOf([first]: readonly PreflightFinding[] = []): string {
  return first === undefined ? 'it has no artifact' : `${first.message} (${first.rule})`;
}
