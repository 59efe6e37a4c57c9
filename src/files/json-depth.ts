/**
 * Returns whether JSON text has more nesting levels than `mostLevels`. Recursive readers and writers of JSON throw a RangeError at a few
 * thousand levels. The text need not be valid JSON.
 */
export function isNestedDeeper(text: string, mostLevels: number): boolean {
  let levels = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isString && character === '\\') at++;
    else if (character === '"') isString = !isString;
    else if (isString) continue;
    else if (character === '[' || character === '{') levels++;
    else if (character === ']' || character === '}') levels--;
    if (levels > mostLevels) return true;
  }
  return false;
}
