import * as v from 'valibot';

/** Creates a schema that reads an integer in this range from the text of a path, a query or a header. */
export function integerText(least: number, most: number) {
  return v.pipe(v.string(), digits(least, most), v.transform(Number), integer(least, most));
}

/** Creates a schema for the `limit` of a list: its maximum number of entries. */
export function listLimit(most: number, otherwise: number) {
  return v.pipe(
    v.optional(v.string(), String(otherwise)),
    digits(1, most),
    v.transform(Number),
    integer(1, most),
    v.metadata({ default: otherwise, description: 'Maximum number of entries in the response.' }),
  );
}

/** Position in a list: only entries with a lower number are returned. */
export const listPosition = v.optional(
  v.pipe(
    integerText(0, Number.MAX_SAFE_INTEGER),
    v.description('Value of `next` in the previous response. If absent, the list starts with the newest entry.'),
  ),
);

function digits(least: number, most: number) {
  return v.regex<string, string>(/^\d{1,16}$/, rangeMessage(least, most));
}

function integer(least: number, most: number) {
  const message = rangeMessage(least, most);
  return v.pipe(v.number(), v.integer(message), v.minValue(least, message), v.maxValue(most, message));
}

function rangeMessage(least: number, most: number): string {
  return `must be an integer from ${least} to ${most}`;
}
