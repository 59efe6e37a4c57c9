import { OtaError } from '../../errors/ota-error.ts';

/**
 * Checks that no output has the same path as another output or a key. Existing outputs are removed before new ones are written, so a
 * private key at such a path would be lost.
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
