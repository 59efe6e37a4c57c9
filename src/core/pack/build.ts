import type { Manifest } from '../model/manifest.ts';

/** Result of packing, signed or unsigned: the manifest, and the artifact bytes by file name. */
export interface Build {
  readonly manifest: Manifest;
  /** All files that the manifest lists, including the image. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}
