/** Shortens text to a number of columns. The last column then contains an ellipsis. */
export function shortened(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text;
}
