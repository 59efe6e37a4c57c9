import type { DeviceFacts } from '../model/device-facts.ts';
import { knownDevice } from './device.ts';
import { type RuleId, rules } from './registry.ts';
import type { Release, ReleaseArtifact } from './release.ts';
import type { Context, Objection } from './rule.ts';

/** An objection and the rule that makes it. */
export interface Complaint extends Objection {
  readonly rule: RuleId;
}

export interface Judgment {
  readonly release: Release;
  readonly artifact: ReleaseArtifact;
  /** Undefined: the build is judged by itself. Empty: a device of which nothing is known. */
  readonly facts: DeviceFacts | undefined;
  readonly publishing?: boolean;
}

/** What the rules say of sending one artifact of a release to a device. Nothing means that it is safe, as far as is known. */
export function judge({ release, artifact, facts, publishing = false }: Judgment): readonly Complaint[] {
  const device = facts && knownDevice(facts);
  const complaints: Complaint[] = [];
  const refused: RuleId[] = [];
  for (const rule of rules) {
    const context: Context = { release, image: release.image, artifact, device, publishing, refused };
    const objection: Objection | undefined = rule.check(context);
    if (objection === undefined) continue;
    complaints.push({ rule: rule.id, ...objection });
    if (objection.severity === 'refuse') refused.push(rule.id);
  }
  return complaints;
}
