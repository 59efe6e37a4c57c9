/** Returns the number of insertions, deletions, replacements and swaps of adjacent letters that turn one word into the other. */
function distance(one: string, other: string): number {
  let [before, row]: number[][] = [[], Array.from({ length: other.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      next[j] = Math.min(
        (next[j - 1] ?? 0) + 1,
        (row?.[j] ?? 0) + 1,
        (row?.[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before?.[j - 2] ?? Number.POSITIVE_INFINITY) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, row] = [row ?? [], next];
  }
  return row?.[other.length] ?? 0;
}

/** Returns the known word with the smallest distance, or undefined if every distance is greater than `atMost`. */
export function nearest(word: string, known: readonly string[], atMost: number): string | undefined {
  const [best] = known
    .map((name) => ({ name, far: distance(word, name) }))
    .filter(({ far }) => far <= atMost)
    .sort((a, b) => a.far - b.far);
  return best?.name;
}
