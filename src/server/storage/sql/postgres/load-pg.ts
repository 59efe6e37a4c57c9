import type Pg from 'pg';
import { OtaError } from '../../../../errors/ota-error.ts';

/**
 * Loads the optional pg package.
 *
 * @throws OtaError POSTGRES_MISSING if the package is not installed
 */
export async function loadPg(
  load: () => Promise<{ readonly default: typeof Pg }> = () => import('pg'),
): Promise<typeof Pg> {
  try {
    return (await load()).default;
  } catch (cause) {
    throw new OtaError('POSTGRES_MISSING', {}, cause);
  }
}
