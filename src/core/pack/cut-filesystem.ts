import type { Manifest } from '../model/manifest.ts';
import { partitionOf } from '../preflight/image-facts.ts';

const fewestBlocks = 2;

/**
 * Cuts erased blocks off the end of a LittleFS image that fills its partition, to make room for a signature. Cutting is safe, because
 * LittleFS erases every block before writing (`lfs_alloc`, `lfs_bd_erase` in lfs.c). An image with a signature could otherwise exceed the
 * partition size, and `UpdaterClass::begin` (Updater.cpp) would reject the upload.
 *
 * @param trailerBytes size of the signature and its length word
 * @returns the cut image, or the unchanged image if it fits or cutting does not help
 */
export function cutToFit(image: Uint8Array, { filesystem }: Manifest['image'], trailerBytes: number): Uint8Array {
  if (filesystem?.type !== 'littlefs') return image;
  const partition = partitionOf(filesystem);
  const { blockSizeBytes, usedBytes } = filesystem;
  if (partition === undefined || blockSizeBytes === undefined || image.length + trailerBytes <= partition) return image;
  const cutBytes = Math.max(usedBytes, fewestBlocks * blockSizeBytes);
  return cutBytes + trailerBytes <= partition && cutBytes < image.length ? image.subarray(0, cutBytes) : image;
}
