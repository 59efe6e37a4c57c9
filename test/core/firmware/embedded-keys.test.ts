import { generateKeyPairSync, randomBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { findEmbeddedKeys } from '../../../src/core/firmware/embedded-keys.ts';
import { madeUpPublicKey, makeKeyPair } from '../../support/signed-file.ts';

const pair = makeKeyPair(2048);
const other = makeKeyPair();
const spki = pair.publicKey.keyObject.export({ type: 'spki', format: 'der' });
const pkcs1Pem = pair.publicKey.keyObject.export({ type: 'pkcs1', format: 'pem' }).toString();

function around(...parts: readonly (string | Uint8Array)[]): Buffer {
  const filler = Buffer.alloc(500, 0x5a);
  return Buffer.concat([filler, ...parts.flatMap((part) => [Buffer.from(part), filler])]);
}

function describe(content: Uint8Array) {
  return findEmbeddedKeys(content).value.map(({ encoding, container, offset, key }) => ({
    encoding,
    container,
    offset,
    fingerprint: key.fingerprint,
  }));
}

test('finds PEM keys in both encodings, with all line endings', (t) => {
  const oneLine = pair.publicKey.pem.replace(/\n/g, '');
  for (const pem of [pair.publicKey.pem, pair.publicKey.pem.replace(/\n/g, '\r\n'), oneLine]) {
    t.deepEqual(describe(around(pem)), [
      { encoding: 'pem', container: 'public-key', offset: 500, fingerprint: pair.publicKey.fingerprint },
    ]);
  }
  t.deepEqual(describe(around(pkcs1Pem)), [
    { encoding: 'pem', container: 'rsa-public-key', offset: 500, fingerprint: pair.publicKey.fingerprint },
  ]);
});

test('finds DER keys at any offset', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (before) => {
      const [found] = describe(Buffer.concat([before, spki, Buffer.alloc(20)]));
      return (
        found?.encoding === 'der' && found.offset === before.length && found.fingerprint === pair.publicKey.fingerprint
      );
    }),
  );
  t.pass();
});

test('finds a bare PKCS#1 key of any size and ignores a truncated key', (t) => {
  for (const bits of [1024, 1536, 2040, 2048, 3072, 4096]) {
    const publicKey = madeUpPublicKey(bits);
    const der = publicKey.keyObject.export({ type: 'pkcs1', format: 'der' });
    t.deepEqual(describe(around(Uint8Array.of(2, 0x82), der, Uint8Array.of(2, 0x81))), [
      { encoding: 'der', container: 'rsa-public-key', offset: 1002, fingerprint: publicKey.fingerprint },
    ]);
    t.deepEqual(describe(der.subarray(0, -1)), []);
  }
});

test('finds DER and PEM keys of 1024 to 4096 bits', (t) => {
  for (const bits of [1024, 3072, 4096]) {
    const publicKey = madeUpPublicKey(bits);
    const der = publicKey.keyObject.export({ type: 'spki', format: 'der' });
    t.is(describe(around(der))[0]?.fingerprint, publicKey.fingerprint);
    t.is(describe(around(publicKey.pem))[0]?.fingerprint, publicKey.fingerprint);
  }
});

test('lists each key modulus once, ordered by offset', (t) => {
  const found = describe(around(other.publicKey.pem, pair.publicKey.pem, spki, pkcs1Pem));
  t.deepEqual(
    found.map(({ fingerprint }) => fingerprint),
    [other.publicKey.fingerprint, pair.publicKey.fingerprint],
  );
});

test('reports a private key separately from the public keys', (t) => {
  const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const { value, findings } = findEmbeddedKeys(around(pem));
  t.deepEqual(value, []);
  t.deepEqual(
    findings.map(({ id, offset }) => [id, offset]),
    [['embedded-private-key', 500]],
  );
});

test('reports an embedded public key that is not RSA', (t) => {
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
  const { value, findings } = findEmbeddedKeys(around(pem));
  t.deepEqual(value, []);
  t.deepEqual(
    findings.map(({ id }) => id),
    ['embedded-key-not-rsa'],
  );
});

test('ignores data that only resembles a key', (t) => {
  const lookAlikes = [
    '-----BEGIN PUBLIC KEY-----',
    '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----',
    '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
    `-----BEGIN PUBLIC KEY-----\n${'%'.repeat(64)}\n-----END PUBLIC KEY-----`,
    pair.publicKey.pem.replace('END PUBLIC', 'END PUBLIK'),
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    '-----BEGIN RSA PUBLIC KEY-----\nMAYCAQECAQM=\n-----END RSA PUBLIC KEY-----',
    spki.subarray(0, 100),
    spki.subarray(4, 200),
  ];
  t.deepEqual(findEmbeddedKeys(around(...lookAlikes)), { value: [], findings: [] });
});

test('ignores a key that is truncated at the end of the content', (t) => {
  for (let length = 0; length < spki.length; length += 7) t.deepEqual(describe(spki.subarray(0, length)), []);
});

test('finds the public key in a certificate', (t) => {
  // The reader does not parse X.509. It searches for the SubjectPublicKeyInfo in the certificate.
  const body = Buffer.concat([Buffer.from([0x30, 0x82, 0x02, 0x00]), randomBytes(60), spki, randomBytes(256)]);
  const pem = `-----BEGIN CERTIFICATE-----\n${body.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
  t.deepEqual(describe(around(pem)), [
    { encoding: 'pem', container: 'certificate', offset: 500, fingerprint: pair.publicKey.fingerprint },
  ]);
});

test('limits the number of candidates in megabytes of data that resembles keys', (t) => {
  const size = 4 * 1024 * 1024;
  const beginning = Uint8Array.of(2, 0x82);
  for (const pattern of ['-----BEGIN ', '-----BEGIN PUBLIC KEY-----', pair.publicKey.pem, spki, beginning]) {
    const { value, findings } = findEmbeddedKeys(Buffer.alloc(size, pattern));
    t.true(value.length <= 1);
    t.deepEqual(
      findings.map(({ id }) => id),
      ['embedded-keys-not-all-read'],
    );
  }
});

test('ignores a key whose exponent or modulus is too large', (t) => {
  const modulus = Buffer.concat([Buffer.of(0), makeKeyPair(1024).publicKey.modulus]);
  const key = (n: Uint8Array, e: Uint8Array) => sequence(integer(n), integer(e));
  t.is(describe(around(key(modulus, Buffer.alloc(8, 0x41)))).length, 1);
  t.deepEqual(describe(around(key(modulus, Buffer.alloc(9, 0x41)))), []);
  t.deepEqual(describe(around(key(Buffer.concat([modulus, Buffer.alloc(100_000, 1)]), Buffer.of(3)))), []);
});

test('limits the number of keys and reports that the rest of the content was not read', (t) => {
  const keys = Array.from({ length: 600 }, () => spki);
  const { value, findings } = findEmbeddedKeys(Buffer.concat(keys));
  t.deepEqual(
    value.map((found) => found.key.fingerprint),
    [pair.publicKey.fingerprint],
  );
  t.deepEqual(
    findings.map(({ id }) => id),
    ['embedded-keys-not-all-read'],
  );
});

function integer(bytes: Uint8Array): Buffer {
  return element(0x02, bytes);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

/** Encodes a DER element with the shortest possible length field. */
function element(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const bytes = [length >> 16, (length >> 8) & 0xff, length & 0xff].slice(length > 0xffff ? 0 : length > 0xff ? 1 : 2);
  return Buffer.concat([Buffer.from(length < 0x80 ? [tag, length] : [tag, 0x80 | bytes.length, ...bytes]), content]);
}
