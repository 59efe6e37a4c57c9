import { OtaError } from '../../errors/ota-error.ts';

/**
 * Checks that each output path differs from all other output paths and key paths. Existing outputs are removed before new ones are
 * written, so a private key at an output path would be lost.
 *
 * @param outputs absolute paths; undefined for outputs that were not requested
 * @throws OtaError OUTPUT_CONFLICT
 */
export function requireDistinct(outputs: readonly (string | undefined)[], keys: readonly (string | undefined)[]): void {
  const seen = new Set(keys);
  for (const path of outputs) {
    if (path === undefined) continue;
    if (seen.has(path)) {
      throw new OtaError('OUTPUT_CONFLICT', { path });
    }
    seen.add(path);
  }
}
