import test from 'ava';
import fc from 'fast-check';
import type { ImageKind } from '../../../src/core/model/artifact.ts';
import { basicAuthorization, pageRequest, type UploadParts, updateRequest } from '../../../src/delivery/web/form.ts';
import { webUpdater } from '../../../src/delivery/web/updaters.ts';

const place = { host: 'door.local', path: '/update', authorization: undefined };

/** Returns the parts of the core's form. */
function partsFor(kind: ImageKind): UploadParts {
  const file = webUpdater(undefined, undefined).file(kind);
  if (file === undefined) throw new Error(`the core's form has no part for a ${kind}`);
  return { file };
}

function asText(image: Uint8Array, kind: ImageKind = 'sketch', authorization?: string): string {
  const { head, tail, image: body } = updateRequest(image, partsFor(kind), { ...place, authorization });
  return Buffer.concat([head, body, tail]).toString('latin1');
}

test('builds the request in the exact form that the device can parse', (t) => {
  const text = asText(Uint8Array.of(0x41, 0x42), 'sketch', 'Basic eDp5');
  const boundary = /boundary=(\S+)\r\n/.exec(text)?.[1] ?? '';
  t.is(
    text,
    [
      'POST /update HTTP/1.1',
      'Host: door.local',
      'Connection: close',
      'Authorization: Basic eDp5',
      `Content-Type: multipart/form-data; boundary=${boundary}`,
      `Content-Length: ${text.length - text.indexOf('\r\n\r\n') - 4}`,
      '',
      `--${boundary}`,
      'Content-Disposition: form-data; name="firmware"; filename="firmware.bin"',
      'Content-Type: application/octet-stream',
      '',
      'AB',
      `--${boundary}--`,
      '',
    ].join('\r\n'),
  );
});

test('names the file part "filesystem", because the device installs a part with any other name as a sketch', (t) => {
  t.regex(asText(new Uint8Array(8), 'filesystem'), /name="filesystem"; filename="filesystem\.bin"/);
});

test('chooses a boundary that does not occur in the image', (t) => {
  const first = updateRequest(new Uint8Array(4), partsFor('sketch'), place);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      const image = Buffer.concat([noise, Buffer.from('\r\n--'), first.head, first.tail, noise]);
      const text = asText(image);
      const boundary = /boundary=(\S+)\r\n/.exec(text)?.[1] ?? '';
      t.true(boundary.length > 20);
      t.false(image.includes(boundary));
      t.is(text.split(`--${boundary}`).length, 3);
    }),
  );
});

test('builds the same request for the same image', (t) => {
  t.is(asText(new Uint8Array(1000).fill(7)), asText(new Uint8Array(1000).fill(7)));
});

test('requests the form page without a body and sends the password only in the header', (t) => {
  const authorization = basicAuthorization('admin', 'secret');
  t.is(authorization, 'Basic YWRtaW46c2VjcmV0');
  t.is(
    Buffer.from(pageRequest({ ...place, authorization })).toString(),
    'GET /update HTTP/1.1\r\nHost: door.local\r\nConnection: close\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\n\r\n',
  );
});

test('places text fields before and after the image', (t) => {
  const { head, tail, image } = updateRequest(
    Uint8Array.of(0x41),
    { ...partsFor('sketch'), before: [{ name: 'MD5', value: 'abc' }], after: [{ name: 'note', value: 'def' }] },
    place,
  );
  const text = Buffer.concat([head, image, tail]).toString('latin1');
  const bodyAt = text.indexOf('\r\n\r\n') + 4;
  t.is(Number(/Content-Length: (\d+)/.exec(text)?.[1]), text.length - bodyAt);
  const parts = text.slice(bodyAt).split(/(?:^|\r\n)--ota-hooks-\w+(?:--)?\r\n/);
  t.deepEqual(parts, [
    '',
    'Content-Disposition: form-data; name="MD5"\r\n\r\nabc',
    'Content-Disposition: form-data; name="firmware"; filename="firmware.bin"\r\nContent-Type: application/octet-stream\r\n\r\nA',
    'Content-Disposition: form-data; name="note"\r\n\r\ndef',
    '',
  ]);
});

test('recognizes the rejections of all core releases', (t) => {
  const { failureOf, isAccepted } = webUpdater(undefined, undefined);
  const reasons: Readonly<Record<string, string | undefined>> = {
    'Update error: ERROR[4]: Not Enough Space\n': 'ERROR[4]: Not Enough Space\n',
    'Update Failed!': 'Update Failed!',
    '<META http-equiv="refresh" content="15;URL=">Update Success! Rebooting...': undefined,
  };
  for (const [body, reason] of Object.entries(reasons)) {
    t.is(failureOf({ status: 200, isWhole: true, body }), reason);
    t.is(isAccepted(body), reason === undefined);
  }
});
