import type { privateKeyRule } from '../api/release.ts';
import type { ReleaseComplaint } from '../api/release-info.ts';
import type { Artifact, Manifest } from '../core/model/manifest.ts';
import type { RuleId } from '../core/preflight/registry.ts';

/** A rule that may be told not to stand in the way of publishing. */
export type AllowedRule = RuleId | typeof privateKeyRule;

/** One build on its way out: its manifest, where it goes by name, and its bytes. */
export interface Publication {
  /** Of the manifest, or of the old build, for messages. */
  readonly path: string;
  readonly project: string;
  readonly version: string;
  /** Where it is offered; undefined: nowhere, it is held back. */
  readonly channel: string | undefined;
  /** known: recognized on devices that still run it, and never sent. */
  readonly purpose: 'serve' | 'reference';
  readonly manifest: Manifest;
  /** The same as text, as it stands beside the artifacts. */
  readonly manifestText: string;
  /** Rules that may not stand in the way. */
  readonly allow: readonly AllowedRule[];
  /**
   * The bytes of an artifact.
   *
   * @throws OtaError ARTIFACT_CHANGED when they are not those that the manifest describes
   */
  readonly readArtifact: (file: string) => Promise<Uint8Array>;
}

/**
 * What came of it. published: new. promoted: it was there, and is offered on this channel from now on. unchanged: all of it was there; or the
 * channel has offered it before, and offers something else by now.
 */
export interface Published {
  readonly outcome: 'published' | 'promoted' | 'unchanged';
  /** Whether the channel offers it now; of one that is held back, whether any does. */
  readonly offered: boolean;
  readonly warnings: readonly ReleaseComplaint[];
}

/** Sends an artifact over a network, and shows how many of its bytes have left. */
export type ShowSending = (
  artifact: Pick<Artifact, 'file' | 'sizeBytes'>,
  send: (onSent: (bytes: number) => void) => Promise<void>,
) => Promise<void>;

/** A place that takes builds. */
export interface PublishWay {
  publish(publication: Publication): Promise<Published>;
}

/** A build as people call it: `door 1.2.0 (sketch, d1_mini)`. */
export function nameOfPublication({ project, version, manifest }: Publication): string {
  return `${project} ${version} (${whatOf(manifest)})`;
}

/** What of a version it is: there is one sketch and one filesystem for each board. */
export function whatOf({ image, board }: Manifest): string {
  return board === undefined ? image.kind : `${image.kind}, ${board}`;
}
