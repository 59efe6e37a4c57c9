/** Manifest types, and basic types shared by all entry points. */

export type { RsaPublicKey } from '../keys/public-key.ts';
export type { CrcRule, Encoding, FlashMode, ImageKind, SignatureFormat } from './artifact.ts';
export type {
  Artifact,
  FilesystemFacts,
  InflateFacts,
  Manifest,
  ManifestFinding,
  ManifestImage,
  ManifestSigning,
  RuleAllowance,
  SketchMd5,
  SketchTraces,
} from './manifest.ts';
