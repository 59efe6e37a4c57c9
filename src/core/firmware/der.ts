/** Tag and content range of a DER element. */
export interface DerElement {
  readonly tag: number;
  readonly contentOffset: number;
  readonly endOffset: number;
}

/** DER tags that occur in key files (X.690). */
export const derTags = { integer: 0x02, bitString: 0x03, octetString: 0x04, oid: 0x06, sequence: 0x30 } as const;

/**
 * Reads the element at `offset`. Returns undefined if the tag differs, if the element ends after `limit`, or if its length is indefinite
 * or longer than three bytes.
 */
export function readDerElement(bytes: Uint8Array, offset: number, limit: number, tag: number): DerElement | undefined {
  const first = bytes[offset + 1];
  if (bytes[offset] !== tag || first === undefined) return undefined;
  let contentOffset = offset + 2;
  let sizeBytes = first;
  if (first >= 0x80) {
    const lengthBytes = first & 0x7f;
    if (lengthBytes === 0 || lengthBytes > 3) return undefined;
    sizeBytes = 0;
    for (const byte of bytes.subarray(contentOffset, contentOffset + lengthBytes)) sizeBytes = (sizeBytes << 8) | byte;
    contentOffset += lengthBytes;
  }
  const endOffset = contentOffset + sizeBytes;
  return endOffset > Math.min(limit, bytes.length) ? undefined : { tag, contentOffset, endOffset };
}

/** Returns the content of an INTEGER element as an unsigned big-endian number without leading zeros. */
export function unsignedInteger(bytes: Uint8Array, element: DerElement): Uint8Array {
  let start = element.contentOffset;
  while (start < element.endOffset && bytes[start] === 0) start += 1;
  return bytes.subarray(start, element.endOffset);
}
