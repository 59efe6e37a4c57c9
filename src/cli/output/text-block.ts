import { printableLine } from '../../core/model/unprintable.ts';

/** Lines of a result whose layout depends on the width of the terminal. */
export interface TextBlock {
  /** @param columns width of the terminal. Undefined for a pipe or a file, where no text is shortened or wrapped. */
  linesIn(columns: number | undefined): readonly string[];
}

/** Narrowest text beside a label. A narrower terminal wraps the lines itself. */
const leastColumns = 20;

/** Returns a label with text beside it. The text wraps between words, and its further lines begin below the first. */
export function labeled(label: string, labelColumns: number, text: string): TextBlock {
  return {
    linesIn(columns) {
      const words = printableLine(text);
      const space = columns === undefined ? words.length : Math.max(leastColumns, columns - labelColumns);
      return wrapped(words, space).map((line, index) =>
        ((index === 0 ? label : '').padEnd(labelColumns) + line).trimEnd(),
      );
    },
  };
}

/**
 * Returns labels with text beside them, such as the properties of a device. All texts begin in the same column.
 *
 * @param rows label and text
 */
export function properties(rows: readonly (readonly string[])[]): TextBlock {
  const labelColumns = Math.max(0, ...rows.map(([label = '']) => label.length)) + 2;
  const blocks = rows.map(([label = '', text = '']) => labeled(label, labelColumns, text));
  return { linesIn: (columns) => blocks.flatMap((block) => block.linesIn(columns)) };
}

/** Wraps text between words. A word that is longer than a line, such as a path, stays in one piece. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
