import type { SignatureRecord } from '../api/client/signature-record.ts';
import type { privateKeyRule } from '../api/release.ts';
import type { ReleaseFinding } from '../api/release-info.ts';
import type { Artifact, Manifest } from '../core/model/manifest.ts';
import type { RuleId } from '../core/preflight/registry.ts';

/** Rule that the user can allow, so that it does not block publishing. */
export type AllowedRule = RuleId | typeof privateKeyRule;

/** Build to publish: its manifest, names and bytes. */
export interface Publication {
  /** Path of the manifest, or of the reference build, for messages. */
  readonly path: string;
  readonly project: string;
  readonly version: string;
  /** Channel to which the build is promoted; undefined for a draft. */
  readonly channel: string | undefined;
  /** Purpose of the build. `reference`: devices that still run the build are recognized, but the build is never sent. */
  readonly purpose: 'serve' | 'reference';
  readonly manifest: Manifest;
  /** Text of the manifest file beside the artifacts. */
  readonly manifestText: string;
  /** Release notes in Markdown; undefined to leave those of the server unchanged. */
  readonly notes?: string | undefined;
  /** Names of rules that do not block publishing. */
  readonly allow: readonly AllowedRule[];
  /**
   * Reads the bytes of an artifact.
   *
   * @throws OtaError ARTIFACT_CHANGED if the bytes do not match the manifest
   */
  readonly readArtifact: (file: string) => Promise<Uint8Array>;
}

/**
 * Result of a publication. `published`: the release is new. `promoted`: the release already existed and is now the channel's current
 * release. `unchanged`: no change was necessary, or the channel has replaced the release with a different release.
 */
export interface Published {
  readonly outcome: 'published' | 'promoted' | 'unchanged';
  /** True if the release is the current release of the channel or, for a draft, of any channel. */
  readonly current: boolean;
  readonly warnings: readonly ReleaseFinding[];
  /** Channel to which the token may not promote the release, so that it was published as a draft instead. */
  readonly notOn?: string | undefined;
}

/** Sends an artifact, and shows why it is sent and how many bytes the server has stored. */
export type ShowUpload = (
  artifact: Artifact,
  manifest: Manifest,
  send: (onStored: (bytes: number) => void) => Promise<void>,
) => Promise<void>;

/** Destination that builds can be published to. */
export interface Publisher {
  publish(publication: Publication): Promise<Published>;
  /** Returns the number of devices that are sent the publication at their next update check; undefined if the number is unknown. */
  countDevices?(publication: Publication): Promise<number | undefined>;
  /** Record of signatures at the destination. Absent if the destination records none. */
  readonly signatures?: SignatureRecord;
}

/** Describes a build for users, such as `door 1.2.0 (sketch, d1_mini)`. */
export function nameOfPublication({ project, version, manifest }: Publication): string {
  return `${project} ${version} (${whatOf(manifest)})`;
}

/** Returns the part of a version that a manifest describes. Each board has one sketch image and one filesystem image. */
export function whatOf({ image, board }: Manifest): string {
  return board === undefined ? image.kind : `${image.kind}, ${board}`;
}
