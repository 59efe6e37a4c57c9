import type { DeviceFacts } from '../model/device-facts.ts';
import { knownDevice } from './device.ts';
import { type RuleId, rules } from './registry.ts';
import type { Release, ReleaseArtifact } from './release.ts';
import type { Context, RuleFinding } from './rule.ts';

/** Finding of a rule, with the name of the rule. */
export interface PreflightFinding extends RuleFinding {
  readonly rule: RuleId;
}

export interface RuleInput {
  readonly release: Release;
  readonly artifact: ReleaseArtifact;
  /** Facts about the device. Undefined: the build is checked without a device. Empty: the device has no known facts. */
  readonly facts: DeviceFacts | undefined;
  readonly publishing?: boolean;
  /** Sketch that devices run now. */
  readonly previous?: Release | undefined;
}

/** Runs all rules on one artifact of a release for a device. Returns an empty array if no problem is found. */
export function runRules({
  release,
  artifact,
  facts,
  publishing = false,
  previous,
}: RuleInput): readonly PreflightFinding[] {
  const device = facts && knownDevice(facts);
  const findings: PreflightFinding[] = [];
  const errors: RuleId[] = [];
  for (const rule of rules) {
    const context: Context = { release, image: release.image, artifact, device, publishing, previous, errors };
    const finding: RuleFinding | undefined = rule.check(context);
    if (finding === undefined) continue;
    findings.push({ rule: rule.id, ...finding });
    if (finding.severity === 'error') errors.push(rule.id);
  }
  return findings;
}
