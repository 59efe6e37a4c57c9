import test from 'ava';
import fc from 'fast-check';
import { readAuthResponse, readInvitation } from '../../src/simulator/invitation.ts';

const md5 = 'a'.repeat(32);
const read = (text: string) => readInvitation(Buffer.from(text, 'latin1'));

test('reads command, port, size and MD5 from an invitation', (t) => {
  t.deepEqual(read(`0 4711 300000 ${md5}\n`), { kind: 'sketch', hostPort: 4711, sizeBytes: 300000, md5 });
  t.deepEqual(read(`100 4711 5 ${md5}`), { kind: 'filesystem', hostPort: 4711, sizeBytes: 5, md5 });
});

test('ignores text after the first line and spaces before numbers', (t) => {
  t.like(read(`  0   4711  9 ${md5}\nmore`), { hostPort: 4711, sizeBytes: 9 });
});

for (const [name, text] of Object.entries({
  'an MD5 of 31 digits': `0 4711 9 ${md5.slice(1)}\n`,
  'an MD5 of 33 digits': `0 4711 9 ${md5}a\n`,
  'no MD5': '0 4711 9\n',
  'an unknown command': `7 4711 9 ${md5}\n`,
  'a response to a challenge': `200 ${md5} ${md5}\n`,
  'an empty datagram': '',
})) {
  test(`ignores a datagram: ${name}`, (t) => {
    t.is(read(text), undefined);
  });
}

test('parses numbers as the device does: 16 digits count as 0, and a port has 16 bits', (t) => {
  t.like(read(`0 65537 12 ${md5}`), { hostPort: 1 });
  t.like(read(`0 ${'1'.repeat(15)} 12 ${md5}`), { sizeBytes: 12 });
  t.like(read(`0 1 123456789012345 ${md5}`), { sizeBytes: 123456789012345 });
  t.like(read(`0 1 1234567890123456 ${md5}`), { sizeBytes: 0 });
});

test('accepts a challenge response only with two texts of 32 characters', (t) => {
  t.deepEqual(readAuthResponse(Buffer.from(`200 ${md5} ${md5}\n`)), { cnonce: md5, response: md5 });
  t.is(readAuthResponse(Buffer.from(`200 ${md5} ${md5}${md5}\n`)), undefined);
  t.is(readAuthResponse(Buffer.from(`0 ${md5} ${md5}\n`)), undefined);
});

test('returns a valid result or undefined for any datagram', (t) => {
  const pieces = fc.oneof(
    fc.constantFrom('0', '100', '200', ' ', '\n', '\0', md5, '99999'),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.array(pieces).map((all) => new Uint8Array(Buffer.from(all.join('')))),
      ),
      (bytes) => {
        const invitation = readInvitation(bytes);
        const response = readAuthResponse(bytes);
        t.true(invitation === undefined || invitation.md5.length === 32);
        t.true(response === undefined || response.response.length === 32);
      },
    ),
  );
});
