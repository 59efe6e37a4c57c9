import { printableLine } from '../../core/model/unprintable.ts';
import { shortened } from './shortened.ts';
import type { TerminalOutput, TerminalSize } from './terminal-text.ts';

/** Width of a bar in columns. */
export const barColumns = 24;

/** Draws a bar for a fraction from 0 to 1. */
export function bar(share: number): string {
  const filled = Math.floor(share * barColumns);
  return `${'#'.repeat(filled)}${'.'.repeat(barColumns - filled)}`;
}

/** Size of a terminal whose size is unknown. */
const usualSize: TerminalSize = { columns: 80, rows: 24 };

/** Returns the size of the terminal, for a display that redraws its lines. */
export function sizeOf({ size = usualSize }: TerminalOutput): TerminalSize {
  return size;
}

/**
 * Shortens a line of a display that redraws its lines. A longer line would wrap, and could not be redrawn. The last column stays empty,
 * because some terminals wrap after it.
 */
export function fitted(text: string, output: TerminalOutput): string {
  return shortened(printableLine(text), sizeOf(output).columns - 1);
}
