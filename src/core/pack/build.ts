import type { Manifest } from '../model/manifest.ts';

/** A build on its way: the manifest, and the bytes of the artifacts that it names, by file name. */
export interface Build {
  readonly manifest: Manifest;
  /** Everything that the manifest lists; the image itself too. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}
