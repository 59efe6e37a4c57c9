/**
 * Block of lines in a text file that is also edited by users or other tools. The block is appended, found by its markers, and removed
 * without a trace.
 */

const begin = '# >>> ota-hooks: these lines were written by "ota-hooks install"; "ota-hooks uninstall" removes them';
/** Marker for text whose last line has no line ending. */
const beginAfterUnfinishedLine = `${begin} and the line end before them`;
const end = '# <<< ota-hooks';

export type WithoutBlock =
  | { readonly state: 'absent' }
  | { readonly state: 'removed'; readonly text: string }
  /** A marker without its counterpart, because the text was edited. Line numbers start at 1. */
  | { readonly state: 'damaged'; readonly line: number };

/** Appends the block to the text, using the text's line endings. An existing block must be removed first. */
export function addBlock(text: string, lines: readonly string[]): string {
  const lineEnd = lineEndOf(text);
  const unfinished = text !== '' && !text.endsWith('\n');
  const block = [unfinished ? beginAfterUnfinishedLine : begin, ...lines, end];
  return `${text}${unfinished ? lineEnd : ''}${block.join(lineEnd)}${lineEnd}`;
}

/** Returns the text without its blocks. The text before {@link addBlock} is restored byte for byte, and text added later is kept. */
export function removeBlock(text: string): WithoutBlock {
  const kept: string[] = [];
  let openedAt: number | undefined;
  let found = false;
  for (const [index, line] of linesOf(text).entries()) {
    const bare = line.trimEnd();
    if (bare === begin || bare === beginAfterUnfinishedLine) {
      if (openedAt !== undefined) return { state: 'damaged', line: openedAt };
      if (bare === beginAfterUnfinishedLine) kept.push((kept.pop() ?? '').replace(/\r?\n$/, ''));
      openedAt = index + 1;
    } else if (bare === end) {
      if (openedAt === undefined) return { state: 'damaged', line: index + 1 };
      openedAt = undefined;
      found = true;
    } else if (openedAt === undefined) {
      kept.push(line);
    }
  }
  if (openedAt !== undefined) return { state: 'damaged', line: openedAt };
  return found ? { state: 'removed', text: joined(kept) } : { state: 'absent' };
}

/** Joins lines. If lines were added after the block, adds a line ending to the line that lost its own with the block. */
function joined(lines: readonly string[]): string {
  const last = lines.length - 1;
  return lines.map((line, index) => (index < last && !line.endsWith('\n') ? line + lineEndOf(line) : line)).join('');
}

function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function lineEndOf(text: string): string {
  return /\r\n/.test(text) ? '\r\n' : '\n';
}
