import { printableLine } from '../../core/model/unprintable.ts';

/** Width of a bar in columns. */
export const barColumns = 24;

/** Draws a bar for a fraction from 0 to 1. */
export function bar(share: number): string {
  const filled = Math.floor(share * barColumns);
  return `${'#'.repeat(filled)}${'.'.repeat(barColumns - filled)}`;
}

/** Width of the narrowest common terminal. A longer line would wrap, and the display could not redraw it. */
const terminalColumns = 79;

/** Shortens a line to the width of the terminal. */
export function fitted(text: string): string {
  const line = printableLine(text);
  return line.length > terminalColumns ? `${line.slice(0, terminalColumns - 1)}…` : line;
}
