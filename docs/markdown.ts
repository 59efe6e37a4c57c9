/** Formats text as a table cell: special characters are shown literally, and none of them ends the cell. */
export function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replace(/([*_])/g, '\\$1')
    .replaceAll('<', '&lt;');
}
