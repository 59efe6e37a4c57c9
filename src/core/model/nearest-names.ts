import { distance } from 'fastest-levenshtein';

const mostNames = 3;

/**
 * Returns the known names that a misspelled name may stand for, nearest first and at most three. Case does not count.
 *
 * @param mostEdits maximum number of inserted, removed or replaced characters
 */
export function nearestNames(
  name: string,
  known: readonly string[],
  mostEdits = Math.max(1, Math.floor(name.length / 3)),
): readonly string[] {
  const wanted = name.toLowerCase();
  return [...new Set(known)]
    .map((other) => ({ other, edits: distance(wanted, other.toLowerCase()) }))
    .filter(({ edits }) => edits <= mostEdits)
    .sort((a, b) => a.edits - b.edits || (a.other < b.other ? -1 : 1))
    .slice(0, mostNames)
    .map(({ other }) => other);
}

/** Returns a question with the nearest names and a space after it, for the beginning of a hint. Empty if no name is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const names = nearestNames(name, known);
  return names.length === 0 ? '' : `Did you mean ${names.join(' or ')}? `;
}
