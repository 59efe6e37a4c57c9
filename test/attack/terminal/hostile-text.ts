import fc from 'fast-check';
import * as v from 'valibot';

/** Characters that must not reach a terminal from outside: C0, DEL, C1, line separators, bidirectional marks and controls. */
export const unprintable = [
  ...codes(0x00, 0x1f),
  ...codes(0x7f, 0x9f),
  0x061c,
  0x200e,
  0x200f,
  ...codes(0x2028, 0x202e),
  ...codes(0x2066, 0x2069),
].map((code) => String.fromCharCode(code));

/** Sequences that a terminal interprets: clear the screen, set the title, print in another color, forge a line, reorder text. */
const sequences = [
  '\u001b[2J\u001b[H',
  '\u001b]0;title\u0007',
  '\u001b]52;c;cm0gLXJm\u0007',
  '\u001b[8m hidden',
  '\u009b2J',
  '\r\nFORGED: done',
  '\nFORGED: done\n',
  '\rFORGED',
  '\u0008\u0008\u0008ok',
  '\u202egnp.exe',
  '\u2066\u2069\u200f',
  '\u2028FORGED',
  '\u001b[1A\u001b[2K',
];

/** Contains every character and every sequence once. */
export const allHostileText = `x${unprintable.join('x')}${sequences.join('x')}x`;

/** Text that a device, a server, a file name or a configuration may contain. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...unprintable, ...sequences, 'a', '1.0', ' ', '"', '\\', '🚪', 'é'), {
    minLength: 1,
    maxLength: 12,
  })
  .map((parts) => parts.join(''));

const escapeCharacter = '\u001b';
/** Escape sequences that the tool itself prints: colors, and the redrawing of progress. No hostile sequence is among them. */
const ownSequences = new RegExp(
  `${escapeCharacter}\\[(?:0|31|32|33|36)m|(?:${escapeCharacter}\\[\\d+A)?\\r(?:${escapeCharacter}\\[[KJ])?`,
  'g',
);

/**
 * Describes what is hostile in the output of a command, in which only the tool's own line feeds may occur.
 *
 * @returns undefined for harmless output
 */
export function hostileIn(output: string, isFancy = false): string | undefined {
  const rest = isFancy ? output.replace(ownSequences, '') : output;
  const found = unprintable.find((character) => character !== '\n' && rest.includes(character));
  if (found !== undefined) return `U+${found.charCodeAt(0).toString(16)} in ${JSON.stringify(output)}`;
  return /^FORGED/m.test(rest) ? `a forged line in ${JSON.stringify(output)}` : undefined;
}

/** Texts that satisfy the rules of schemas that do not accept hostile text. */
const harmless = ['2026-01-01T00:00:00.000Z', '0'.repeat(64), 'a'];

/** Returns a value that a schema accepts, with hostile text in every string that may contain it. */
export function hostileValue(schema: v.GenericSchema, text: string): unknown {
  const inside = (part: v.GenericSchema) => hostileValue(part, text);
  const parts = schema as unknown as SchemaParts;
  switch (parts.type) {
    case 'string':
      return [text, ...harmless].find((value) => v.is(schema, value));
    case 'picklist':
      return parts.options?.[0];
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'array':
      return parts.item && [inside(parts.item), inside(parts.item)];
    case 'optional':
    case 'nullable':
      return parts.wrapped && inside(parts.wrapped);
    case 'union':
    case 'variant':
      return inside(parts.options?.[0] as v.GenericSchema);
    case 'literal':
      return parts.literal;
    case 'record':
    case 'unknown':
      return { [text]: text };
    case 'object':
    case 'strict_object':
    case 'loose_object':
      return Object.fromEntries(Object.entries(parts.entries ?? {}).map(([key, entry]) => [key, inside(entry)]));
    default:
      throw new Error(`a schema of type ${parts.type}`);
  }
}

/** Fields of valibot's schemas, by type. */
interface SchemaParts {
  readonly type: string;
  readonly literal?: unknown;
  readonly item?: v.GenericSchema;
  readonly wrapped?: v.GenericSchema;
  readonly options?: readonly unknown[];
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
}

function codes(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
