import type { PreflightFix } from '../model/preflight-fix.ts';
import type { Device } from './device.ts';
import { fixText } from './fix-text.ts';
import type { Release, ReleaseArtifact, ReleaseImage } from './release.ts';

/** error: the update is blocked unless the rule is allowed by name. warning: the update is sent with a warning. */
export type Severity = 'error' | 'warning';

/** Input of a preflight rule. */
export interface Context {
  readonly release: Release;
  readonly image: ReleaseImage;
  readonly artifact: ReleaseArtifact;
  /** Device to check; undefined if a build is checked without a device. */
  readonly device: Device | undefined;
  /** Sketch that devices run now. Undefined if no devices are compared, or if it is the first release. */
  readonly previous: Release | undefined;
  /** True if the release is being published. The devices that will install it are then not known. */
  readonly publishing: boolean;
  /** IDs of the rules that have already returned an error; rules run in registry order. */
  readonly errors: readonly string[];
}

/** Finding of a rule: an error or a warning. The message is a sentence without a period at the end. */
export interface RuleFinding {
  readonly severity: Severity;
  /** Message that contains the relevant sizes and names. */
  readonly message: string;
  /** Fix for the problem, or advice about a warning. */
  readonly fix: string;
  /** Fixes as data, in order of preference. Any one of them removes the finding. Empty for advice. */
  readonly fixes: readonly PreflightFix[];
}

/** Check for a way in which an update can brick a device, lock out its owner or disable its signature check. */
export interface Rule {
  /** Name of the rule in --allow, in JSON and in docs/never-brick.md. */
  readonly id: string;
  /** Condition for a finding, described for the documentation. */
  readonly condition: string;
  readonly severity: 'error' | 'warning' | 'error or warning';
  /** Affected core releases of the device or the image, for the documentation. */
  readonly cores: string;
  /** Upstream files, functions and issues. */
  readonly evidence: readonly string[];
  check(context: Context): RuleFinding | undefined;
}

export function error(message: string, ...fixes: readonly PreflightFix[]): RuleFinding {
  return { severity: 'error', message, fix: fixText(fixes), fixes };
}

export function warning(message: string, ...fixes: readonly PreflightFix[]): RuleFinding {
  return { severity: 'warning', message, fix: fixText(fixes), fixes };
}

/** Returns a warning with advice that no program can follow. */
export function advice(message: string, text: string): RuleFinding {
  return { severity: 'warning', message, fix: text, fixes: [] };
}
