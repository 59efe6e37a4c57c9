/** Reasons for a rejection, with the codes that `ota_hooks_rejection()` returns on the device. */
export const guardRejections = {
  signature: 1,
  noMetadata: 2,
  product: 3,
  kind: 4,
  securityVersion: 5,
  trailingData: 6,
  flashMode: 7,
  flashSize: 8,
  start: 9,
  inflatedSize: 10,
} as const;

export type GuardRejection = keyof typeof guardRejections;

const reasons: Readonly<Record<GuardRejection, string>> = {
  signature: 'none of its keys made the signature',
  noMetadata: 'the update contains no metadata',
  product: 'the update is for another product',
  kind: 'the update is for another kind of image',
  securityVersion: 'the security version is too low',
  trailingData: 'bytes follow the gzip data',
  flashMode: 'the flash mode does not fit',
  flashSize: 'the flash size exceeds the chip',
  start: 'the update was staged too low',
  inflatedSize: 'the image is too large for the flash layout',
};

/**
 * Reads the code of a rejection that a device reports in the query `?rejection=N` of its update check. Codes of a newer guard are kept.
 *
 * @param url path and query of the request
 * @returns 1 to 255; undefined if the device reports no rejection
 */
export function readRejection(url: string): number | undefined {
  const [, digits] = /[?&]rejection=(\d{1,3})(?:&|$)/.exec(url) ?? [];
  const code = Number(digits ?? 0);
  return code > 0 && code <= 0xff ? code : undefined;
}

/** Describes a rejection, as the end of a sentence about the guard of a device. */
export function rejectionText(code: number): string {
  const known = Object.entries(guardRejections).find(([, number]) => number === code);
  // The keys of the entries are those of `guardRejections`.
  return known === undefined ? `rejection ${code}` : `${reasons[known[0] as GuardRejection]} (rejection ${code})`;
}
