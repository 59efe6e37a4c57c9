import { gzipSync } from 'node:zlib';
import { buildImage, concatBytes } from '../../support/image-builder.ts';
import { makeKeyPair } from '../../support/signed-file.ts';

const spki = makeKeyPair().publicKey.keyObject.export({ type: 'spki', format: 'der' });
const largestMember = 16 * 1024 * 1024 - 1;

/** Functions that build a file of about `sizeBytes` bytes that is expensive to read. */
export const hostileFiles: Readonly<Record<string, (sizeBytes: number) => Uint8Array>> = {
  zeros: (size) => new Uint8Array(size),
  'erased flash': (size) => new Uint8Array(size).fill(0xff),
  'image magic numbers': (size) => new Uint8Array(size).fill(0xe9),
  'PEM begin markers': (size) => Buffer.alloc(size, '-----BEGIN PUBLIC KEY-----\n'),
  'PEM blocks': (size) => Buffer.alloc(size, '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n'),
  keys: (size) => Buffer.alloc(size, spki),
  'gzip magic numbers': (size) => Buffer.alloc(size, Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])),
  'gzip members': (size) => Buffer.alloc(size, gzipSync('member')),
  'gzip bombs': (size) => {
    const bomb = gzipSync(Buffer.alloc(largestMember));
    return Buffer.concat(Array.from({ length: Math.ceil(size / bomb.length) }, () => bomb));
  },
  'an unterminated file name': (size) =>
    concatBytes(Uint8Array.of(0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3), new Uint8Array(size).fill(65)),
  'SDK versions': (size) => Buffer.concat([buildImage(), Buffer.alloc(size, '2.2.2(0000000')]),
  'an image with an incorrect CRC': (size) => {
    // A sketch runs from at most 1 MB of flash.
    const large = buildImage({ flashContent: new Uint8Array(Math.min(size / 4, 1024 * 1000)) });
    large[2000] = 1;
    return large;
  },
};
