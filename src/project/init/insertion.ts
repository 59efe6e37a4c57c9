/** Text to insert into another text. `at` is the offset into the other text immediately before this insertion. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** Applies insertions in order. */
export function withInsertions(text: string, insertions: readonly Insertion[]): string {
  return insertions.reduce((so, { at, text: added }) => so.slice(0, at) + added + so.slice(at), text);
}

/**
 * Reverts insertions in reverse order. If the text has changed, an inserted text is removed only if it occurs exactly once.
 *
 * @returns the text without the insertions, and the insertions that were not found
 */
export function withoutInsertions(
  text: string,
  insertions: readonly Insertion[],
): { readonly text: string; readonly lost: readonly Insertion[] } {
  const lost: Insertion[] = [];
  let rest = text;
  for (const insertion of insertions.toReversed()) {
    const at = placeOf(insertion, rest);
    if (at === undefined) lost.push(insertion);
    else rest = rest.slice(0, at) + rest.slice(at + insertion.text.length);
  }
  return { text: rest, lost };
}

function placeOf({ at, text: inserted }: Insertion, text: string): number | undefined {
  if (text.startsWith(inserted, at)) return at;
  const first = text.indexOf(inserted);
  return first === -1 || first !== text.lastIndexOf(inserted) ? undefined : first;
}
