/** Random number generator. Returns numbers from 0 (inclusive) to 1 (exclusive). The same seed produces the same sequence. */
export type Random = () => number;

/** Returns a mulberry32 generator. Its numbers for a seed do not depend on the Node.js version. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
