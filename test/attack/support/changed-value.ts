/** Values that readers confuse with times, counts, names and lists. */
export const hostileValues: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e300,
  2 ** 53,
  '',
  '../..',
  '\0',
  '\u001b[2J',
  '__proto__',
  [],
  [null],
  {},
  { a: 1 },
];

/**
 * Replaces one value in a JSON document, at any depth, or removes a field.
 *
 * @param steps choice of the entry at each level, modulo their number
 * @param hostile new value; undefined removes a field
 */
export function changedValue(value: unknown, steps: readonly number[], hostile: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || typeof value !== 'object' || value === null) return hostile;
  const keys = Object.keys(value);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return hostile;
  const child = changedValue(Object.entries(value)[keys.indexOf(key)]?.[1], rest, hostile);
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? child : item));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, old]) =>
      name === key ? (child === undefined ? [] : [[name, child]]) : [[name, old]],
    ),
  );
}
