import { OtaError } from '../../errors/ota-error.ts';

/**
 * Checks that no output has the path of another output or of a key. Outputs are removed before they are written, and a removed private key
 * is lost.
 *
 * @param outputs absolute paths; undefined for outputs that are not wanted
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
