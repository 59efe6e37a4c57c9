/** A text put into another one; `at` counts in the text as it was just before. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** Puts texts in, one after the other. */
export function withInsertions(text: string, insertions: readonly Insertion[]): string {
  return insertions.reduce((so, { at, text: added }) => so.slice(0, at) + added + so.slice(at), text);
}

/**
 * Takes texts out again, the last one first. Where others have changed the text since, an inserted text is looked for, and taken out if it
 * stands there exactly once.
 *
 * @returns the text without them, and those that could not be found
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
