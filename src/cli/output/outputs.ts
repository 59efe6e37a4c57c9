import { OtaError } from '../../errors/ota-error.ts';

/**
 * Makes sure that no output stands in the place of another, nor in that of a key: outputs are removed before they are written, and a
 * private key that is removed is lost.
 *
 * @param outputs absolute paths; those that are not wanted may be undefined
 * @throws OtaError USAGE
 */
export function requireDistinct(outputs: readonly (string | undefined)[], keys: readonly (string | undefined)[]): void {
  const seen = new Set(keys);
  for (const path of outputs) {
    if (path === undefined) continue;
    if (seen.has(path)) {
      throw new OtaError('USAGE', {
        message: `${path} cannot be written: it is named twice`,
        hint: 'Name another output file.',
      });
    }
    seen.add(path);
  }
}
