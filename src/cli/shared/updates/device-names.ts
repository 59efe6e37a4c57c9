/** Formats a list of device names for a sentence. A list of more than three names is shortened. */
export function namesOf(devices: readonly { readonly name: string }[]): string {
  const names = devices.map(({ name }) => name);
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
}
