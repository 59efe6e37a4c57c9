import type { Device } from './device.ts';
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
  /** Fix for the problem, or an alternative to the update. */
  readonly fix: string;
  /** Set if the fix sends a different artifact of the build. */
  readonly sends?: ArtifactFix | undefined;
}

/** Form of an artifact. `raw`: not compressed. */
export type ArtifactForm = 'raw' | 'raw signed' | 'gzip';

/** Fix that is possible only if the build has an artifact of this form that nothing blocks. */
export interface ArtifactFix {
  readonly form: ArtifactForm;
  readonly fix: string;
  /** Fix without this artifact. */
  readonly otherwise: string;
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

export function error(message: string, fix: string | ArtifactFix): RuleFinding {
  return { severity: 'error', message, ...fixFields(fix) };
}

export function warning(message: string, fix: string | ArtifactFix): RuleFinding {
  return { severity: 'warning', message, ...fixFields(fix) };
}

function fixFields(fix: string | ArtifactFix): Pick<RuleFinding, 'fix' | 'sends'> {
  return typeof fix === 'string' ? { fix } : { fix: fix.fix, sends: fix };
}

/**
 * Returns a fix that sends a different artifact of the build.
 *
 * @param detail end of the clause that names the artifact
 * @param otherwise fix if this artifact is blocked too
 */
export function artifactFix(form: ArtifactForm, detail = '', otherwise?: string): ArtifactFix {
  const send = `send the ${form} artifact${detail}`;
  return otherwise === undefined
    ? { form, fix: send, otherwise: `remove what blocks the ${form} artifact` }
    : { form, fix: `${send}, or ${otherwise}`, otherwise };
}
