/** Parameters of fast-check: number of runs and seed. */
export interface PropertyRuns {
  readonly numRuns: number;
  readonly seed?: number;
}

/**
 * Unit tests run few cases, the same on every machine. `npm run fuzz` sets PROPERTY_CASES=many and runs many random cases; fast-check
 * prints the seed of a failure.
 */
export function propertyRuns(few: number, many: number): PropertyRuns {
  return process.env['PROPERTY_CASES'] === 'many' ? { numRuns: many } : { numRuns: few, seed: 1 };
}
