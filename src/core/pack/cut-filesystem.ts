import type { Manifest } from '../model/manifest.ts';
import { partitionOf } from '../preflight/image-facts.ts';

const fewestBlocks = 2;

/**
 * Makes room for a signature behind a LittleFS that fills its partition: the erased blocks at its end are cut off, since LittleFS
 * erases a block before it writes to it and does not mind what was there (`lfs_alloc`, `lfs_bd_erase` in lfs.c). Without that a device
 * that verifies could never take the image (`UpdaterClass::begin` in Updater.cpp bounds what is sent, the signature included).
 *
 * @param trailerBytes of the signature and its length word
 * @returns the image as it is where it fits, or where cutting does not help
 */
export function cutToFit(image: Uint8Array, { filesystem }: Manifest['image'], trailerBytes: number): Uint8Array {
  if (filesystem?.type !== 'littlefs') return image;
  const partition = partitionOf(filesystem);
  const { blockSizeBytes, usedBytes } = filesystem;
  if (partition === undefined || blockSizeBytes === undefined || image.length + trailerBytes <= partition) return image;
  const cutBytes = Math.max(usedBytes, fewestBlocks * blockSizeBytes);
  return cutBytes + trailerBytes <= partition && cutBytes < image.length ? image.subarray(0, cutBytes) : image;
}
