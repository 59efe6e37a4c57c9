import test from 'ava';
import fc from 'fast-check';
import { authenticate } from '../../../src/delivery/espota/authentication.ts';
import {
  authenticationDatagram,
  type DeviceResponse,
  invitationDatagram,
  parseDeviceResponse,
} from '../../../src/delivery/espota/datagrams.ts';
import { readAuthResponse, readInvitation } from '../../../src/simulator/invitation.ts';

const md5 = '0123456789abcdef0123456789abcdef';

test('builds an invitation as one line with command, port, size and MD5', (t) => {
  const facts = { hostPort: 40123, sizeBytes: 300_000, md5 };
  t.is(invitationDatagram({ kind: 'sketch', ...facts }), `0 40123 300000 ${md5}\n`);
  t.is(invitationDatagram({ kind: 'filesystem', ...facts }), `100 40123 300000 ${md5}\n`);
});

test('builds invitations that the virtual device parses to the same fields', (t) => {
  const invitations = fc.record({
    kind: fc.constantFrom('sketch' as const, 'filesystem' as const),
    hostPort: fc.integer({ min: 1, max: 65_535 }),
    sizeBytes: fc.integer({ min: 1, max: 16 * 1024 * 1024 }),
    md5: fc.stringMatching(/^[0-9a-f]{32}$/),
  });
  fc.assert(
    fc.property(invitations, (invitation) => {
      t.deepEqual(readInvitation(Buffer.from(invitationDatagram(invitation))), invitation);
    }),
  );
});

test('responds to a challenge as espota.py does', (t) => {
  // md5("secret") = 5ebe2294ecd0e0f08eab7690d2a6ee69; response computed with md5sum.
  const response = authenticate('00112233445566778899aabbccddeeff', 'secret', 'ffeeddccbbaa99887766554433221100');
  t.deepEqual(response, {
    cnonce: 'ffeeddccbbaa99887766554433221100',
    response: '2c9e4cbfaf1cfb5ae7f1af70633b325b',
  });
});

test('builds challenge responses that the virtual device can parse and that never contain the password', (t) => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-f]{32}$/), fc.string({ minLength: 3 }), (nonce, password) => {
      const response = authenticate(nonce, password);
      const datagram = authenticationDatagram(response.cnonce, response.response);
      t.deepEqual(readAuthResponse(Buffer.from(datagram)), response);
      fc.pre(!/^[0-9a-f]+$/.test(password));
      t.false(datagram.includes(password));
    }),
  );
});

const responses: [title: string, datagram: string, kind: DeviceResponse['kind']][] = [
  ['OK', 'OK', 'ok'],
  ['a challenge', `AUTH ${md5}`, 'challenge'],
  ['a failed authentication', 'Authentication Failed', 'authenticationFailed'],
  ['an Update.begin error with the old line ending', 'ERR: ERROR[4]: Not Enough Space\r\n', 'error'],
  ['a challenge that is too short', 'AUTH 0123', 'foreign'],
  ['OK followed by other text', 'OKAY', 'foreign'],
  ['an empty datagram', '', 'foreign'],
];
for (const [title, datagram, kind] of responses) {
  test(`classifies a response from the device: ${title}`, (t) => {
    t.is(parseDeviceResponse(Buffer.from(datagram)).kind, kind);
  });
}

test('strips the prefix from an Update.begin error', (t) => {
  const response = parseDeviceResponse(Buffer.from('ERR: ERROR[4]: Not Enough Space\n'));
  t.deepEqual(response, { kind: 'error', text: 'ERROR[4]: Not Enough Space' });
});

test('identifies an ESP32 by the length of its challenge', (t) => {
  const response = parseDeviceResponse(Buffer.from(`AUTH ${md5}${md5}`));
  t.like(response, { kind: 'foreign', which: 'esp32' });
});

test('recognizes ESPHome by its first bytes', (t) => {
  t.like(parseDeviceResponse(Uint8Array.of(0x6c, 0x26, 0xf7, 0x5c, 0x45, 0x00)), { kind: 'foreign', which: 'esphome' });
});
