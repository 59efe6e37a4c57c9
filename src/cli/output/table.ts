import { printableLine } from '../../core/model/unprintable.ts';
import { shortened } from './shortened.ts';
import type { TextBlock } from './text-block.ts';

const gap = '  ';
/** Narrowest column that still shows useful text. A table with more columns than fit becomes wider than the terminal. */
const leastColumns = 8;

/** Formats rows of cells as lines. Each column is as wide as its widest cell; in a terminal, the widest columns are shortened to fit. */
export function table(rows: readonly (readonly string[])[]): TextBlock {
  return {
    linesIn(columns) {
      // Cells are escaped before they are measured, because an escaped character is wider than the original.
      const cells = rows.map((row) => row.map(printableLine));
      const natural = (cells[0] ?? []).map((_, column) => widthOf(cells, column));
      const widths = columns === undefined ? natural : fittedWidths(natural, columns);
      const cell = (text: string, column: number) => {
        const width = widths[column] ?? 0;
        return shortened(text, width).padEnd(width);
      };
      return cells.map((row) => row.map(cell).join(gap).trimEnd());
    },
  };
}

/** Returns the number of characters of the widest cell. (As arguments of `Math.max`, 200,000 cells would overflow the stack.) */
function widthOf(rows: readonly (readonly string[])[], column: number): number {
  return rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0);
}

/** Limits the widths of the widest columns, all to the same number of characters, so that the table fits. */
function fittedWidths(natural: readonly number[], columns: number): readonly number[] {
  const space = columns - gap.length * (natural.length - 1);
  let limit = Math.max(...natural, leastColumns);
  const limited = () => natural.map((width) => Math.min(width, limit));
  while (limit > leastColumns && sum(limited()) > space) limit--;
  return limited();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
