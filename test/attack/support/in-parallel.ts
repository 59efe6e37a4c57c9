/** Tries all attacks, 16 at a time, and returns how many the product withstood. */
export async function inParallel<T>(
  attacks: readonly T[],
  withstands: (attack: T) => Promise<boolean>,
): Promise<number> {
  const rest = [...attacks];
  let count = 0;
  const worker = async () => {
    for (let attack = rest.pop(); attack !== undefined; attack = rest.pop()) if (await withstands(attack)) count++;
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return count;
}
