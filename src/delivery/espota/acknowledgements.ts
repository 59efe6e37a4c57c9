/**
 * How many bytes a run of digits acknowledges. `ArduinoOTAClass::_runUpdate` prints after each write how much it wrote, as a bare decimal: what
 * comes in one piece may be one number or several that have run into each other, and nothing tells them apart. Taken is the reading with the
 * fewest numbers that fits what is under way, and of those the smallest: `21442144` with 30,000 bytes under way is twice 2144. It is an
 * estimate, good enough for a progress bar and for how much to send ahead; no verdict rests on it.
 *
 * @param digits one piece, as it arrived
 * @param underWayBytes sent and not acknowledged so far; more cannot be meant
 */
export function acknowledgedBytes(digits: string, underWayBytes: number): number {
  // After a zero no number begins, unless the piece before ended in the middle of one.
  const text = digits.replace(/^0+/, '').slice(-longestRun);
  let sums = new Map<number, number>([[0, 0]]);
  for (let count = 1; count <= text.length; count++) {
    sums = withOneMore(sums, text, underWayBytes);
    const sum = sums.get(text.length);
    if (sum !== undefined) return sum;
  }
  return text === '' ? 0 : underWayBytes;
}

/** A sane device lets no more than a few run together; what a mad one sends is not worth the time. */
const longestRun = 120;
const mostDigits = 8;

/** From where the readings of n numbers end, with their least sum, to those of n + 1. */
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
