import type { Manifest } from '../model/manifest.ts';

/** Build after packing, signed or unsigned: the manifest, and the bytes of all files by name. */
export interface Build {
  readonly manifest: Manifest;
  /** Files that the manifest lists, including the image. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}
