/** A text as the cell of a table: its signs are to be seen, and none of them ends the cell. */
export function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replace(/([*_])/g, '\\$1')
    .replaceAll('<', '&lt;');
}
