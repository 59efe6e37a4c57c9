import type { privateKeyRule } from '../api/release.ts';
import type { ReleaseFinding } from '../api/release-info.ts';
import type { Artifact, Manifest } from '../core/model/manifest.ts';
import type { RuleId } from '../core/preflight/registry.ts';

/** A rule that can be allowed, so that it does not block publishing. */
export type AllowedRule = RuleId | typeof privateKeyRule;

/** A build to publish: its manifest, its names and its bytes. */
export interface Publication {
  /** Path of the manifest, or of the reference build, for messages. */
  readonly path: string;
  readonly project: string;
  readonly version: string;
  /** Channel to promote the build on; undefined for a draft. */
  readonly channel: string | undefined;
  /** `reference`: devices that still run it are recognized, and it is never sent. */
  readonly purpose: 'serve' | 'reference';
  readonly manifest: Manifest;
  /** The manifest as text, as in its file beside the artifacts. */
  readonly manifestText: string;
  /** Rules that do not block publishing. */
  readonly allow: readonly AllowedRule[];
  /**
   * Reads the bytes of an artifact.
   *
   * @throws OtaError ARTIFACT_CHANGED if they are not those that the manifest describes
   */
  readonly readArtifact: (file: string) => Promise<Uint8Array>;
}

/**
 * Outcome of a publication. `published`: the release is new. `promoted`: it existed, and is now current on this channel. `unchanged`:
 * nothing had to be done, or the channel served it before and serves another release now.
 */
export interface Published {
  readonly outcome: 'published' | 'promoted' | 'unchanged';
  /** Whether it is the current release of the channel; for a draft, of any channel. */
  readonly current: boolean;
  readonly warnings: readonly ReleaseFinding[];
}

/** Sends an artifact over a network and shows how many of its bytes were sent. */
export type ShowUpload = (
  artifact: Pick<Artifact, 'file' | 'sizeBytes'>,
  send: (onSent: (bytes: number) => void) => Promise<void>,
) => Promise<void>;

/** A place that builds can be published to. */
export interface Publisher {
  publish(publication: Publication): Promise<Published>;
}

/** Returns the name of a build for people: `door 1.2.0 (sketch, d1_mini)`. */
export function nameOfPublication({ project, version, manifest }: Publication): string {
  return `${project} ${version} (${whatOf(manifest)})`;
}

/** Returns which part of a version a manifest describes: there is one sketch and one filesystem for each board. */
export function whatOf({ image, board }: Manifest): string {
  return board === undefined ? image.kind : `${image.kind}, ${board}`;
}
