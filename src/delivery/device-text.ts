const mostCharacters = 200;

/**
 * Makes text from a device safe for terminals, logs and JSON. The result is one line of at most 200 characters, without control
 * characters and without secrets that the device may echo.
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

/** Returns the error number `n` in `ERROR[n]: text` (`UpdaterClass::printError`). */
export function errorCode(text: string): number | undefined {
  const digits = /ERROR\[(\d{1,3})\]/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
