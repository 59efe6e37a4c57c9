/**
 * Estimates how many bytes a run of digits acknowledges. After each write, `ArduinoOTAClass::_runUpdate` prints the number of bytes as a
 * bare decimal, so one piece may contain one number or several without separators. Of all ways to split the digits whose sum does not
 * exceed the unacknowledged bytes, the one with the fewest numbers is used, and among those the one with the smallest sum: `21442144` with
 * 30,000 unacknowledged bytes is 2144 twice. The estimate is good enough for a progress bar and for deciding how much to send ahead; no
 * verdict depends on it.
 *
 * @param digits one piece as received
 * @param unacknowledgedBytes bytes sent but not yet acknowledged: the upper limit for the result
 */
export function acknowledgedBytes(digits: string, unacknowledgedBytes: number): number {
  // A number starts with a zero only if the previous piece ended in the middle of that number.
  const text = digits.replace(/^0+/, '').slice(-longestRun);
  let sums = new Map<number, number>([[0, 0]]);
  for (let count = 1; count <= text.length; count++) {
    sums = withOneMore(sums, text, unacknowledgedBytes);
    const sum = sums.get(text.length);
    if (sum !== undefined) return sum;
  }
  return text === '' ? 0 : unacknowledgedBytes;
}

/** Bounds the work for invalid input: with a working device, only a few numbers run together. */
const longestRun = 120;
const mostDigits = 8;

/** Extends all ways to read n numbers to n + 1 numbers; the map holds the smallest sum for each end position. */
function withOneMore(sums: ReadonlyMap<number, number>, text: string, limit: number): Map<number, number> {
  const next = new Map<number, number>();
  for (const [start, sum] of sums) {
    if (text[start] === '0') continue;
    for (let end = start + 1; end <= Math.min(start + mostDigits, text.length); end++) {
      const total = sum + Number(text.slice(start, end));
      if (total > limit) break;
      const known = next.get(end);
      if (known === undefined || total < known) next.set(end, total);
    }
  }
  return next;
}
