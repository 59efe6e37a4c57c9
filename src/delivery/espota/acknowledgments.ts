/**
 * Estimates how many bytes a run of digits acknowledges. After each write, `ArduinoOTAClass::_runUpdate` prints the number of bytes in
 * decimal, without a separator. Received text may therefore contain several numbers. The digits are split into the fewest numbers whose sum
 * does not exceed the unacknowledged bytes; of several such splits, the smallest sum is used. For example, `21442144` with 30,000
 * unacknowledged bytes is 2144 twice. The estimate affects progress bars and flow control, but not the verdict.
 *
 * @param digits digits as received
 * @param unacknowledgedBytes number of bytes sent but not yet acknowledged; the maximum result
 */
export function acknowledgedBytes(digits: string, unacknowledgedBytes: number): number {
  // A number starts with a zero only if the previously received text ended in the middle of this number.
  const text = digits.replace(/^0+/, '').slice(-longestRun);
  let sums = new Map<number, number>([[0, 0]]);
  for (let count = 1; count <= text.length; count++) {
    sums = withOneMore(sums, text, unacknowledgedBytes);
    const sum = sums.get(text.length);
    if (sum !== undefined) return sum;
  }
  return text === '' ? 0 : unacknowledgedBytes;
}

/** Maximum number of acknowledgments in one text. The limit bounds the work for invalid input. */
const longestRun = 120;
const mostDigits = 8;

/** Extends all ways to read n numbers to n + 1 numbers. The map contains the smallest sum for each end position. */
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
