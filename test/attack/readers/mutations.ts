import fc from 'fast-check';

/** Words that readers of binary formats confuse with sizes, offsets and signs. */
const words = [0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff];
/** Text that readers of text formats confuse with their own syntax. */
const snippets = [
  '\0',
  '\r\n',
  '"',
  "'",
  '\\',
  '{',
  '[[',
  '}',
  '<',
  '%',
  '${',
  '__proto__',
  '\u009b31m',
  '\u202e',
  '🚪',
  ' '.repeat(99),
];

/**
 * Produces hostile variants of valid input:
 *
 *     input    = variant of a seed | random bytes
 *     variant  = seed with one to eight of: byte set, word set, bytes removed, part repeated, snippet inserted, end cut off
 */
export function variantsOf(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const changed = fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 8 }))
    .map(([seed, changes]) => changes.reduce<Buffer>((bytes, apply) => apply(bytes), Buffer.from(seed)));
  const any = fc.oneof({ weight: 9, arbitrary: changed }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) });
  return any.map(withShortText);
}

/** Replaces the bytes by their number in a failure report. The seed and the path in the report reproduce the input. */
function withShortText(bytes: Uint8Array): Uint8Array {
  return Object.assign(bytes, { [fc.toStringMethod]: () => `${bytes.length} bytes` });
}

type Change = (bytes: Buffer) => Buffer;

/** Half of the positions are in the first 64 bytes, where binary formats have their headers. */
const position = fc.tuple(fc.boolean(), fc.nat()).map(
  ([isEarly, at]) =>
    (length: number) =>
      at % Math.max(1, isEarly ? Math.min(length, 64) : length),
);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(position, fc.nat(255)).map(([at, value]) => (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0) copy[at(copy.length)] = value;
    return copy;
  }),
  fc.tuple(position, fc.constantFrom(...words), fc.boolean()).map(([at, value, isBig]) => (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    const offset = at(copy.length);
    if (offset + 4 > copy.length) return copy;
    if (isBig) copy.writeUInt32BE(value, offset);
    else copy.writeUInt32LE(value, offset);
    return copy;
  }),
  fc.tuple(position, fc.nat(40)).map(([at, count]) => (bytes: Buffer) => {
    const offset = at(bytes.length);
    return Buffer.concat([bytes.subarray(0, offset), bytes.subarray(offset + count)]);
  }),
  fc.tuple(position, fc.nat(40), fc.constantFrom(2, 3, 1000)).map(([at, count, times]) => (bytes: Buffer) => {
    const offset = at(bytes.length);
    const part = bytes.subarray(offset, offset + count);
    return Buffer.concat([bytes.subarray(0, offset), ...Array<Buffer>(times).fill(part), bytes.subarray(offset)]);
  }),
  fc.tuple(position, fc.constantFrom(...snippets)).map(([at, snippet]) => (bytes: Buffer) => {
    const offset = at(bytes.length);
    return Buffer.concat([bytes.subarray(0, offset), Buffer.from(snippet), bytes.subarray(offset)]);
  }),
  position.map((at) => (bytes: Buffer) => bytes.subarray(0, at(bytes.length))),
);
