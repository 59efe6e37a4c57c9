import type { Manifest } from '../model/manifest.ts';

/** Result of packing, signed or unsigned: the manifest, and the bytes of its artifacts by file name. */
export interface Build {
  readonly manifest: Manifest;
  /** All files that the manifest lists, including the image. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}
