/**
 * Characters that change how a terminal shows the text around them: control characters (C0, DEL, C1), Unicode line separators, and marks that
 * reorder text (bidirectional marks, embeddings, overrides and isolates), with which one name can look like another.
 */
const others = '\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069';
const unprintable = `\\u0000-\\u001f${others}`;
/** The same characters without tabs and line breaks. */
const unprintableInParagraphs = `\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f${others}`;

/** Matches text without such characters. */
export const printableText = new RegExp(`^[^${unprintable}]*$`);

/** Matches text with several lines, which may contain tabs and line breaks. */
export const printableParagraphs = new RegExp(`^[^${unprintableInParagraphs}]*$`);

const anyUnprintable = new RegExp(`[${unprintable}]`, 'g');
const anyUnprintableInLines = new RegExp(`(?!\\n)[${unprintable}]`, 'g');

/** Replaces the unprintable characters in one line with escapes such as `\u001b`, which are visible in text and valid in JSON strings. */
export function printableLine(text: string): string {
  return text.replace(anyUnprintable, escaped);
}

/** Like {@link printableLine}, for text with several lines: keeps line feeds. */
export function printableLines(text: string): string {
  return text.replace(anyUnprintableInLines, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
