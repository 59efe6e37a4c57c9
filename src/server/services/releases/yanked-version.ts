import type { ReleaseRecord } from '../../storage/records.ts';

/** Returns the reason if all images of a version were yanked; undefined if one is available or there is none. */
export function yankedText(images: readonly ReleaseRecord[]): string | undefined {
  return images.some(({ yanked }) => yanked === undefined) ? undefined : images[0]?.yanked;
}
