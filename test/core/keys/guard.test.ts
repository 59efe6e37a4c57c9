import { createHash } from 'node:crypto';
import test from 'ava';
import { findEmbeddedKeys } from '../../../src/core/firmware/embedded-keys.ts';
import { guardHeader } from '../../../src/core/keys/guard-header.ts';
import { findGuard, type Guard, guardRecord, productHash } from '../../../src/core/keys/guard-record.ts';
import { type RsaPublicKey, readPublicKey } from '../../../src/core/keys/public-key.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { rsaPems } from '../../support/key-pairs.ts';

const keyOf = (bits: number) => readPublicKey(rsaPems(bits).publicPem, 'public.key');
const first = keyOf(1024);
const second = keyOf(2048);
const guard: Guard = {
  keys: [first, second],
  product: productHash('door'),
  securityVersion: 0xfffffffe,
  require: 'metadata',
};

/** An image with bytes before and after the record. */
const imageWith = (record: Uint8Array) => Buffer.concat([Buffer.alloc(100, 0xff), record, Buffer.alloc(100, 1)]);

test('the guard record of an image contains what the header was generated from', (t) => {
  const found = findGuard(imageWith(guardRecord(guard)));
  t.is(found?.offset, 100);
  t.is(found?.securityVersion, 0xfffffffe);
  t.is(found?.require, 'metadata');
  t.deepEqual(found?.product, Uint8Array.from(createHash('sha256').update('door').digest().subarray(0, 8)));
  t.deepEqual(
    found?.keys.map(({ fingerprint, bits }) => ({ fingerprint, bits })),
    [first, second].map(({ fingerprint, bits }) => ({ fingerprint, bits })),
  );
});

test('the words in the guard header are the record', (t) => {
  const words = /record\[\] PROGMEM = \{([^}]*)\}/.exec(guardHeader(guard))?.[1] ?? '';
  const bytes = Buffer.alloc(guardRecord(guard).length);
  for (const [at, word] of words.split(',').entries()) bytes.writeUInt32LE(Number(word.trim()), at * 4);
  t.deepEqual(bytes, Buffer.from(guardRecord(guard)));
});

test('the guard header is ASCII, has fewer than 300 lines, and names each key', (t) => {
  const text = guardHeader(guard);
  t.regex(text, /^[\n\x20-\x7e]+\n$/);
  t.true(text.split('\n').length < 300);
  for (const { fingerprint } of guard.keys) t.true(text.includes(fingerprint));
  t.notRegex(text, /@\w+@/);
});

test('keys in a guard record are embedded keys of the image', (t) => {
  const { value, findings } = findEmbeddedKeys(imageWith(guardRecord(guard)));
  t.deepEqual(findings, []);
  t.deepEqual(
    value.map(({ key, encoding, container, offset }) => ({ key: key.fingerprint, encoding, container, offset })),
    [first, second].map(({ fingerprint: key }) => ({ key, encoding: 'modulus', container: 'guard', offset: 100 })),
  );
});

test('an incomplete or damaged guard record is not found', (t) => {
  const record = guardRecord(guard);
  for (let length = 0; length < record.length; length++) t.is(findGuard(record.subarray(0, length)), undefined);
  const damaged = (offset: number, value: number) => {
    const copy = Uint8Array.from(record);
    copy[offset] = value;
    return copy;
  };
  t.not(findGuard(record), undefined);
  for (const [offset, value] of [
    [8, 2],
    [9, 2],
    [10, 0],
    [10, 9],
    [25, 255],
  ] as const) {
    t.is(findGuard(damaged(offset, value)), undefined, `byte ${offset}`);
  }
});

test('a record behind text that looks like its beginning is found, but not behind endless repetitions', (t) => {
  const decoy = Buffer.from('OTAGUARD');
  const behind = (count: number) => Buffer.concat([...Array.from({ length: count }, () => decoy), guardRecord(guard)]);
  t.not(findGuard(behind(3)), undefined);
  t.is(findGuard(behind(1000)), undefined);
});

test('product names in different Unicode forms are the same product', (t) => {
  t.deepEqual(productHash('Tür'), productHash('Tu\u0308r'));
  t.notDeepEqual(productHash('Tür'), productHash('Tur'));
});

test('a guard takes 8 keys, of which 2 may be large, and refuses other keys by name', async (t) => {
  const withKeys = (keys: readonly RsaPublicKey[]) => () => guardRecord({ ...guard, keys });
  const many = (count: number, key: RsaPublicKey) => Array.from({ length: count }, () => key);
  const large = keyOf(3072);
  t.notThrows(withKeys(many(8, second)));
  t.notThrows(withKeys([...many(6, second), large, large]));
  const problem = async (keys: readonly RsaPublicKey[]) =>
    (await expectOtaError(t, 'GUARD_KEYS', withKeys(keys))).message;
  t.regex(await problem(many(11, first)), /there are 11 keys, and a device can try at most 8/);
  t.regex(await problem([second, ...many(3, large)]), /3 keys have more than 2048 bits/);
  t.regex(await problem([second, keyOf(1032)]), /a key has 1032 bits/);
});
