import { printableLine, printableLines } from '../../core/model/unprintable.ts';

/** Escape sequence created by this tool, which is written without escaping. */
class Sequence {
  readonly code: string;

  constructor(code: string) {
    this.code = code;
  }
}

/** Text to write: strings, whose unprintable characters are escaped, and this tool's own escape sequences. */
type TerminalText = string | readonly (string | Sequence)[];

/** Returns the characters to write to the terminal. All output of all commands passes through this filter. */
function terminalText(text: TerminalText): string {
  if (typeof text === 'string') return printableLines(text);
  return text.map((part) => (typeof part === 'string' ? printableLines(part) : part.code)).join('');
}

/** Returns one line of output. A line break in the text is escaped, because only this tool decides where its lines end. */
export function outputLine(text: string): string {
  return `${printableLine(text)}\n`;
}

const colors = { red: '31', green: '32', yellow: '33', cyan: '36' } as const;
export type Color = keyof typeof colors;

/** Colors a word if the terminal supports colors. */
export function colored(
  { fancy }: { readonly fancy: boolean },
  color: Color,
  word: string,
): readonly (string | Sequence)[] {
  return fancy ? [new Sequence(`\u001b[${colors[color]}m`), word, new Sequence('\u001b[0m')] : [word];
}

/** Moves the cursor to the start of the line. */
export const lineStart = new Sequence('\r');

/** Moves the cursor to the start of the line and clears the line. */
export const clearedLine = new Sequence('\r\u001b[K');

/** Moves the cursor up and clears the rest of the screen. */
export function clearedFrom(linesUp: number): Sequence {
  return new Sequence(`${linesUp === 0 ? '' : `\u001b[${linesUp}A`}\r\u001b[J`);
}

/** Size of a terminal in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Text output that passes through {@link terminalText}. */
export interface TerminalOutput {
  write(text: TerminalText): unknown;
  /** Current size, which changes when the user resizes the window. Undefined if the output is not a terminal. */
  readonly size?: TerminalSize | undefined;
}

/**
 * Adds the filter to an output stream of the process.
 *
 * @param write writes characters without changes
 * @param size returns the current size of the terminal
 */
export function filteredOutput(
  write: (text: string) => unknown,
  size: () => TerminalSize | undefined = () => undefined,
): TerminalOutput {
  return {
    write: (text) => write(terminalText(text)),
    get size() {
      return size();
    },
  };
}
