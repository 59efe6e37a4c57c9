/** Types of a manifest, and the words that all entry points share. */
export type { Encoding, FlashMode, ImageKind, SignatureFormat } from '../domain/artefact.ts';
export type {
  Artefact,
  FilesystemFacts,
  InflateFacts,
  Manifest,
  ManifestFinding,
  ManifestImage,
  ManifestSigning,
  SketchMd5,
  SketchTraces,
} from '../domain/manifest.ts';
export type { RsaPublicKey } from '../keys/public-key.ts';
