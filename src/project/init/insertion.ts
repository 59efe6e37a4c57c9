/** Text to insert into another text. `at` is an offset into that text as it is just before this insertion. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** Applies insertions one after the other. */
export function withInsertions(text: string, insertions: readonly Insertion[]): string {
  return insertions.reduce((so, { at, text: added }) => so.slice(0, at) + added + so.slice(at), text);
}

/**
 * Reverts insertions, last one first. If the text has changed since, an inserted text is searched for and removed if it occurs exactly
 * once.
 *
 * @returns the text without them, and the insertions that were not found
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
