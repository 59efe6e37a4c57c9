/** How often a property is tried, and from which seed: parameters of fast-check. */
export interface PropertyRuns {
  readonly numRuns: number;
  readonly seed?: number;
}

/**
 * Unit tests try few cases, the same on every machine. `npm run fuzz` sets PROPERTY_CASES=many and tries many, others each time; fast-check
 * prints the seed of a failure.
 */
export function propertyRuns(few: number, many: number): PropertyRuns {
  return process.env['PROPERTY_CASES'] === 'many' ? { numRuns: many } : { numRuns: few, seed: 1 };
}
