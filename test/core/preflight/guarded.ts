import type { DeviceFacts, GuardFacts } from '../../../src/core/model/device-facts.ts';
import type { UpdateMetadata } from '../../../src/core/model/manifest.ts';
import type { ReleaseArtifact } from '../../../src/core/preflight/release.ts';
import { type Case, ours, sound, theirs } from './case.ts';

export const guard: GuardFacts = {
  keys: [theirs, ours],
  product: '0123456789abcdef',
  securityVersion: 2,
  require: 'metadata',
};

/** Metadata that the guard accepts with the sound sketch in `case.ts`. */
const metadata: UpdateMetadata = {
  format: 1,
  kind: 'sketch',
  flashModeByte: 2,
  flashSizeByte: 0x40,
  memberBytes: 0,
  lowestStart: 0,
  securityVersion: 2,
  product: guard.product,
};

export function marked(artifact: ReleaseArtifact, changes: Partial<UpdateMetadata> = {}): ReleaseArtifact {
  const { inflate, payloadBytes } = artifact;
  const gzip = inflate && { memberBytes: payloadBytes, lowestStart: inflate.lowestStaging?.erasesFirst ?? 0 };
  const isFilesystem = artifact.file.startsWith('fs');
  const kind = isFilesystem ? { kind: 'filesystem' as const, flashModeByte: 0, flashSizeByte: 0 } : {};
  return { ...artifact, metadata: { ...metadata, ...gzip, ...kind, ...changes } };
}

/** Returns a case of a device with the guard, and an artifact whose metadata differs from what the guard accepts. */
export function guardedCase(
  changes: Partial<UpdateMetadata>,
  facts: Partial<DeviceFacts> = {},
  artifact: ReleaseArtifact = sound.gzipSigned,
): Case {
  return { artifact: marked(artifact, changes), facts: { guard, ...facts } };
}
