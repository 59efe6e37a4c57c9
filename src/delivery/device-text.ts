const mostCharacters = 200;

/**
 * What a device said, fit for a terminal, a log and JSON: one line, no control characters (which could rewrite what stands on the screen),
 * not endless, and without secrets, should the device repeat them.
 */
export function deviceText(text: string, secrets: readonly string[]): string {
  const silent = secrets
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return silent
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, mostCharacters);
}

/** The number in `ERROR[n]: text` (`UpdaterClass::printError`). */
export function errorCode(text: string): number | undefined {
  const digits = /ERROR\[(\d{1,3})\]/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
