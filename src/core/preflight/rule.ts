import type { Device } from './device.ts';
import type { Release, ReleaseArtifact, ReleaseImage } from './release.ts';

/** error: the update is blocked unless the rule is allowed by name. warning: the update is sent with a warning. */
export type Severity = 'error' | 'warning';

/** Input of a rule. */
export interface Context {
  readonly release: Release;
  readonly image: ReleaseImage;
  readonly artifact: ReleaseArtifact;
  /** Undefined if a build is checked without a device, which is not the same as a device without known facts. */
  readonly device: Device | undefined;
  /** Whether the release is about to be published to devices that are not yet known. */
  readonly publishing: boolean;
  /** IDs of the rules that have already returned an error; rules run in registry order. */
  readonly errors: readonly string[];
}

/** Finding of a rule: an error or a warning. Messages are sentences without a period at the end. */
export interface RuleFinding {
  readonly severity: Severity;
  /** Message with the sizes and names of the case. */
  readonly message: string;
  /** Fix, or an alternative to the update. */
  readonly fix: string;
}

/** Check for one way in which an update can brick a device, lock its owner out or disable its signature check. */
export interface Rule {
  /** Name in --allow, in JSON and in docs/never-brick.md. */
  readonly id: string;
  /** Condition under which the rule reports a finding, for the documentation. */
  readonly condition: string;
  readonly severity: 'error' | 'warning' | 'error or warning';
  /** Affected core releases of the device or the image, for the documentation. */
  readonly cores: string;
  /** Upstream files and functions, and issues. */
  readonly evidence: readonly string[];
  check(context: Context): RuleFinding | undefined;
}

export function error(message: string, fix: string): RuleFinding {
  return { severity: 'error', message, fix };
}

export function warning(message: string, fix: string): RuleFinding {
  return { severity: 'warning', message, fix };
}
