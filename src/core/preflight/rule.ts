import type { Device } from './device.ts';
import type { Release, ReleaseArtifact, ReleaseImage } from './release.ts';

/** refuse: the update is not sent unless the rule is allowed by its name. warn: it is sent, and somebody should know. */
export type Severity = 'refuse' | 'warn';

/** What a rule looks at. */
export interface Context {
  readonly release: Release;
  readonly image: ReleaseImage;
  readonly artifact: ReleaseArtifact;
  /** Undefined when a build is judged by itself, which is not the same as a device of which nothing is known. */
  readonly device: Device | undefined;
  /** Whether the release is about to be offered to devices that nobody sees yet. */
  readonly publishing: boolean;
  /** Rules that have refused already; those that come first in the registry are asked first. */
  readonly refused: readonly string[];
}

/** Why an update should not be sent as it is. Messages are sentences without a full stop at the end. */
export interface Objection {
  readonly severity: Severity;
  /** With the numbers of the case. */
  readonly message: string;
  /** What to do instead. */
  readonly instead: string;
}

/** One way in which an update bricks a device, locks its owner out, or switches its signature check off. */
export interface Rule {
  /** Its name, for --allow, for JSON and for docs/never-brick.md. */
  readonly id: string;
  /** When it objects, for the documentation. */
  readonly condition: string;
  readonly severity: 'refuse' | 'warn' | 'refuse or warn';
  /** Of the device, or of the image where that is what matters. */
  readonly cores: string;
  /** Upstream files with their functions, and issues. */
  readonly evidence: readonly string[];
  check(context: Context): Objection | undefined;
}

export function refuse(message: string, instead: string): Objection {
  return { severity: 'refuse', message, instead };
}

export function warn(message: string, instead: string): Objection {
  return { severity: 'warn', message, instead };
}
