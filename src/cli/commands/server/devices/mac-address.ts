/**
 * Returns a MAC address in the form that the server stores, such as `18:FE:34:AA:BB:CC`. The digits may be in any case and separated by
 * colons, dashes, dots, or not at all.
 *
 * @returns undefined if the text is not a MAC address
 */
export function macOfNotation(text: string): string | undefined {
  const isMac = /^(?:[\da-f]{2}([:-]?)(?:[\da-f]{2}\1){4}[\da-f]{2}|(?:[\da-f]{4}\.){2}[\da-f]{4})$/i.test(text.trim());
  const digits = text.replace(/[^\da-f]/gi, '').toUpperCase();
  return isMac ? digits.match(/../g)?.join(':') : undefined;
}
