/** Forged X-Forwarded-For headers: rate limits always count the address that the trusted proxy reports, never one that the client wrote. */
import { request } from 'node:http';
import test from 'ava';
import { startTestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';

/**
 *     header = forged separator reported
 *     forged = the entry that the client wrote; N differs in each request
 *     reported = the entry that the trusted proxy added, with or without a port
 */
const forged = [
  '203.0.113.N',
  '203.0.113.N:80',
  '[2001:db8:N::1]:80',
  '2001:db8:N::1',
  '::ffff:203.0.113.N',
  'unknown',
  '127.0.0.1:N',
];
const separators = [', ', ',', ' , ', ',,'];
const reported = ['198.51.100.7', '198.51.100.7:5N', '::ffff:198.51.100.7', '[::ffff:198.51.100.7]:5N'];

/** Status of a request that a trusted proxy on this machine forwards. */
function statusOf(port: number, forwardedFor: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-forwarded-for': forwardedFor };
    const sent = request({ host: '127.0.0.1', port, path: '/update/none', headers, agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject).end();
  });
}

test('prevents a client from escaping its limit of failed requests with X-Forwarded-For', async (t) => {
  const limits = { failuresPerAddress: 1, failuresPerSecond: 1e-9 };
  const server = await startTestServer(t, { trustedProxies: ['127.0.0.1'], limits });
  t.not(await statusOf(server.port, '198.51.100.7'), 429);
  const headers = forged.flatMap((entry) =>
    separators.flatMap((comma) => reported.map((last) => entry + comma + last)),
  );
  let withstood = 0;
  for (const [index, header] of headers.entries()) {
    const status = await statusOf(server.port, header.replaceAll('N', String(index)));
    if (status === 429) withstood++;
    else t.fail(`${header}: ${status}`);
  }
  t.is(withstood, headers.length);
  t.not(await statusOf(server.port, '198.51.100.8:5678'), 429, 'other clients are not affected');
  countAttacks({ kind: 'forged X-Forwarded-For', tried: headers.length, withstood });
});
