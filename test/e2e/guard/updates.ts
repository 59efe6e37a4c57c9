import { createHash, sign as signWith } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';

/** Metadata of an update, written here from docs/keys.md and not with the code that `pack` uses. */
export interface Metadata {
  readonly format?: number;
  readonly kind?: number;
  readonly flashMode?: number;
  readonly flashSize?: number;
  readonly memberBytes?: number;
  readonly lowestStart?: number;
  readonly securityVersion?: number;
  readonly product?: string;
}

export function metadata(values: Metadata, memberBytes = 0): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.set([values.format ?? 1, values.kind ?? 0, values.flashMode ?? 2, values.flashSize ?? 0x40]);
  bytes.writeUInt32LE(values.memberBytes ?? memberBytes, 4);
  bytes.writeUInt32LE(values.lowestStart ?? 0, 8);
  bytes.writeUInt32LE(values.securityVersion ?? 2, 12);
  createHash('sha256')
    .update(values.product ?? 'door')
    .digest()
    .copy(bytes, 16, 0, 8);
  return bytes;
}

/** A raw image padded to words, with metadata behind it. */
export function raw(image: Uint8Array, values?: Metadata): Buffer {
  const padding = Buffer.alloc(-image.length & 3);
  const trailer = values === undefined ? [] : [Buffer.from('OTAHOOK1'), metadata(values)];
  return Buffer.concat([image, padding, ...trailer]);
}

/** A gzip file with metadata in its extra field, padded to words in its file name. */
export function gzip(image: Uint8Array, values?: Metadata, subfields = 'OH'): Buffer {
  const body = deflateRawSync(image);
  const end = Buffer.alloc(8);
  // The Updater does not check the CRC, so it stays 0.
  end.writeUInt32LE(image.length, 4);
  const extraBytes = values === undefined ? 0 : 2 + 4 + 24;
  const padding = -(10 + extraBytes + 1 + body.length + end.length) & 3;
  const name = Buffer.concat([Buffer.alloc(padding, 'x'), Buffer.alloc(1)]);
  const total = 10 + extraBytes + name.length + body.length + end.length;
  const extra = Buffer.alloc(values === undefined ? 0 : 6);
  if (values !== undefined) {
    extra.writeUInt16LE(28);
    extra.write(subfields, 2, 'latin1');
    extra.writeUInt16LE(24, 4);
  }
  const head = Buffer.from([0x1f, 0x8b, 8, values === undefined ? 0x08 : 0x0c, 0, 0, 0, 0, 2, 3]);
  const data = values === undefined ? Buffer.alloc(0) : metadata(values, total);
  return Buffer.concat([head, extra, data, name, body, end]);
}

/** Appends the signature and its length, as the core's signing.py does. */
export function signed(payload: Uint8Array, privatePem: string): Buffer {
  const signature = signWith('sha256', payload, privatePem);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(signature.length);
  return Buffer.concat([payload, signature, length]);
}
