/** Request smuggling: a request with ambiguous framing is rejected, and its body is never handled as a second request. */
import test from 'ava';
import { sendRaw } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { inParallel } from '../support/in-parallel.ts';

/**
 *     attack  = start headers CRLF CRLF body
 *     start   = a POST that the server reads, or a GET to a device
 *     headers = two different statements about the length of the body
 *     body    = chunks or bytes that end in a complete request to create a token
 */
const starts = ['POST /api/v1/tokens HTTP/1.1', 'GET /update/door HTTP/1.1', 'POST /login HTTP/1.1'];
const chunked = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding:\r\n chunked',
  'X: y\nTransfer-Encoding: chunked',
  '\u000bTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\0',
];
const lengths = [
  'Content-Length: 5',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 5, 6',
  'Content-Length: +5',
  'Content-Length: 0x5',
  'Content-Length: 5 ',
  'Content-Length : 5',
  'Content-Length: -5',
];
const bodies = ['0\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n', '5;a=b\r\nhello\r\n0\r\n\r\n', '05\nhello\n0\n\n'];

test('never handles a second request inside a request with ambiguous framing', async (t) => {
  const server = await startTestServer(t, { limits: { failuresPerAddress: 1e9, failuresPerSecond: 1e9 } });
  let count = 0;
  const attacks = starts.flatMap((start) =>
    chunked.flatMap((te) =>
      lengths.flatMap((length) => bodies.map((body) => ({ start, headers: `${te}\r\n${length}`, body }))),
    ),
  );
  const withstood = await inParallel(attacks, async ({ start, headers, body }) => {
    const name = `smuggled-${count++}`;
    const json = JSON.stringify({ roles: ['read'], name });
    const smuggled = [
      'POST /api/v1/tokens HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${server.token}`,
      'Content-Type: application/json',
      `Content-Length: ${json.length}`,
      '',
      json,
    ].join('\r\n');
    const request = `${start}\r\nHost: x\r\n${headers}\r\n\r\n${body}${smuggled}`;
    const response = await sendRaw(server.port, Buffer.from(request, 'latin1'), { during: (socket) => socket.end() });
    const text = response.toString('latin1');
    if (/"token"|HTTP\/1\.1 201/.test(text)) t.fail(`${JSON.stringify(request)} created a token`);
    return !/"token"|HTTP\/1\.1 201/.test(text);
  });
  t.is(withstood, attacks.length);
  const { body } = await server.api('GET', '/tokens');
  t.notRegex(JSON.stringify(body), /smuggled/);
  countAttacks({ kind: 'request smuggling', tried: attacks.length, withstood });
});

test('rejects HTTP/1.0 with chunks, two hosts and HTTP/0.9, and handles nothing after them', async (t) => {
  const server = await startTestServer(t);
  const next = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
  const chunks = 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
  const attacks = [
    `POST /login HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n${chunks}${next}`,
    `GET /update/door HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n${chunks}${next}`,
    `GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n${next}`,
    `GET /healthz HTTP/1.1\r\nhost: x\r\nHOST: x\r\n\r\n${next}`,
    `POST /login HTTP/1.1\r\nHost: x\r\nHost: y\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n${next}`,
    `GET /healthz\r\n\r\n${next}`,
  ];
  for (const attack of attacks) {
    const response = await sendRaw(server.port, Buffer.from(attack, 'latin1'), { during: (socket) => socket.end() });
    const statuses = response.toString('latin1').match(/^HTTP\/1\.1 \d+/gm);
    t.deepEqual(statuses, ['HTTP/1.1 400'], JSON.stringify(attack));
  }
  countAttacks({ kind: 'ambiguous requests', tried: attacks.length, withstood: attacks.length });
});
