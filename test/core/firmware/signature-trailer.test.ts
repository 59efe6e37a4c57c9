import test from 'ava';
import fc from 'fast-check';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { findTrailer } from '../../../src/core/firmware/signature-trailer.ts';
import { buildImage, concatBytes } from '../../support/image-builder.ts';
import { makeKeyPair, signFile, withTrailer } from '../../support/signed-file.ts';

const owner = makeKeyPair();
const stranger = makeKeyPair();
const image = buildImage();

function findingIds(file: Uint8Array, keys = [owner.publicKey]): readonly string[] {
  return readFirmware(file, { knownKeys: keys }).findings.map(({ id }) => id);
}

for (const format of ['current', 'legacy'] as const) {
  test(`recognizes the format and the key of a ${format} signature`, (t) => {
    const { trailer, payload, findings } = readFirmware(signFile(image, owner.privateKey, format), {
      knownKeys: [stranger.publicKey, owner.publicKey],
    });
    t.deepEqual(findings, []);
    t.is(trailer?.format, format);
    t.is(trailer?.verifiedBy?.fingerprint, owner.publicKey.fingerprint);
    t.deepEqual([trailer?.offset, trailer?.signatureBytes, trailer?.keyBits], [image.length, 128, 1024]);
    t.deepEqual(Buffer.from(payload), Buffer.from(image));
  });
}

test('recognizes a signature made with an unknown 2048-bit key', (t) => {
  const { trailer, findings } = readFirmware(signFile(image, makeKeyPair(2048).privateKey, 'current'));
  t.deepEqual([trailer?.format, trailer?.keyBits, trailer?.verifiedBy], ['unverified', 2048, undefined]);
  t.deepEqual(findings, []);
});

test('finds a signature of unusual length after the image segments', (t) => {
  t.is(readFirmware(withTrailer(image, new Uint8Array(200), 200)).trailer?.keyBits, 1600);
});

test('reports a signature made with a different key as unverified', (t) => {
  const signed = signFile(image, stranger.privateKey, 'current');
  const { trailer } = readFirmware(signed, { knownKeys: [owner.publicKey] });
  t.is(trailer?.format, 'unverified');
  t.deepEqual(findingIds(signed), ['signature-unverified']);
});

test('reports a signature with one flipped bit as unverified', (t) => {
  const signed = signFile(image, owner.privateKey, 'current');
  fc.assert(
    fc.property(fc.nat({ max: 127 }), fc.nat({ max: 7 }), (at, bit) => {
      const broken = Uint8Array.from(signed);
      broken[image.length + at] = (broken[image.length + at] ?? 0) ^ (1 << bit);
      return findingIds(broken).includes('signature-unverified');
    }),
  );
  t.pass();
});

test('reports an implausible signature length and finds no trailer', (t) => {
  for (const word of [0xffffffff, 0, 127, 0x80000080]) {
    const file = withTrailer(image, new Uint8Array(128), word);
    t.is(readFirmware(file).trailer, undefined);
    t.deepEqual(findingIds(file), ['signature-length-implausible', 'data-after-image'], `${word}`);
  }
});

test('reports zero padding after the image only as data after the image', (t) => {
  t.deepEqual(findingIds(concatBytes(image, new Uint8Array(512))), ['data-after-image']);
});

test('finds no trailer if the stated signature length would overlap the image', (t) => {
  const file = withTrailer(image, new Uint8Array(128), 512);
  t.is(readFirmware(file).trailer, undefined);
});

test('finds no trailer in an unsigned image for any value of its last word', (t) => {
  t.is(readFirmware(image).trailer, undefined);
  const ending = Uint8Array.from(image);
  ending.set([0, 1, 0, 0], ending.length - 4);
  t.is(readFirmware(ending).trailer, undefined);
});

test('finds a signature after trailing data and reports both', (t) => {
  const file = signFile(concatBytes(image, new Uint8Array(48)), owner.privateKey, 'current');
  t.is(readFirmware(file, { knownKeys: [owner.publicKey] }).trailer?.format, 'current');
  t.deepEqual(findingIds(file), ['data-after-image']);
});

test('requires a common signature length or a known key if the end of the payload is unknown', (t) => {
  const payload = new Uint8Array(5000).fill(1);
  t.is(findTrailer(withTrailer(payload, new Uint8Array(256), 256), undefined, []).value?.offset, 5000);
  t.is(findTrailer(withTrailer(payload, new Uint8Array(200), 200), undefined, []).value, undefined);
  const whole = withTrailer(new Uint8Array(8192 - 260), new Uint8Array(256), 256);
  t.is(findTrailer(whole, undefined, []).value, undefined, 'whole sectors are an image by themselves');
  const odd = makeKeyPair(1032);
  t.is(findTrailer(signFile(payload, odd.privateKey, 'current'), undefined, []).value, undefined);
  t.is(findTrailer(signFile(payload, odd.privateKey, 'current'), undefined, [odd.publicKey]).value?.keyBits, 1032);
});

test('finds no trailer in a file shorter than the smallest trailer', (t) => {
  for (let length = 0; length < 6; length += 1)
    t.is(findTrailer(new Uint8Array(length).fill(128), undefined, []).value, undefined);
});
