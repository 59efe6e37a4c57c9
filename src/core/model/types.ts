/** Manifest types, and basic types shared by all entry points. */

export type { RsaPublicKey } from '../keys/public-key.ts';
export type { CrcRule, Encoding, FlashMode, ImageKind, SignatureFormat } from './artifact.ts';
export type { GuardFacts } from './device-facts.ts';
export type {
  Artifact,
  FilesystemFacts,
  InflateFacts,
  Manifest,
  ManifestFinding,
  ManifestImage,
  ManifestKey,
  ManifestMetadata,
  ManifestSigning,
  RuleAllowance,
  SketchMd5,
  SketchTraces,
  UpdateMetadata,
} from './manifest.ts';
