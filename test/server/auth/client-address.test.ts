import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import test from 'ava';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { clientAddress, trustProxies } from '../../../src/server/auth/client-address.ts';

/** Request with a peer address and an X-Forwarded-For header. */
function requestFrom(peer: string | undefined, forwardedFor?: string): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: peer });
  const request = new IncomingMessage(socket);
  if (forwardedFor !== undefined) request.headers['x-forwarded-for'] = forwardedFor;
  return request;
}

type Case = readonly [title: string, proxies: readonly string[], request: IncomingMessage, client: string];

const cases: readonly Case[] = [
  ['ignores X-Forwarded-For without a trusted proxy', [], requestFrom('192.0.2.1', '198.51.100.7'), '192.0.2.1'],
  ['ignores the header from an untrusted peer', ['10.0.0.1'], requestFrom('192.0.2.1', '198.51.100.7'), '192.0.2.1'],
  ['trusts a proxy by its address', ['10.0.0.1'], requestFrom('10.0.0.1', '198.51.100.7'), '198.51.100.7'],
  ['trusts an IPv4-mapped peer', ['10.0.0.1'], requestFrom('::ffff:10.0.0.1', '::ffff:198.51.100.7'), '198.51.100.7'],
  ['trusts a proxy in an IPv4 range', ['10.0.0.0/8'], requestFrom('::ffff:10.1.2.3', '198.51.100.7'), '198.51.100.7'],
  ['trusts a proxy in an IPv6 range', ['2001:db8::/32'], requestFrom('2001:db8:1::1', '198.51.100.7'), '198.51.100.7'],
  ['does not trust a peer outside the range', ['10.0.0.0/8'], requestFrom('11.0.0.1', '198.51.100.7'), '11.0.0.1'],
  [
    'uses the last X-Forwarded-For address that is not a trusted proxy',
    ['10.0.0.0/8', '192.0.2.1'],
    requestFrom('10.0.0.1', '203.0.113.9, 198.51.100.7, 192.0.2.1, 10.9.9.9'),
    '198.51.100.7',
  ],
  ['uses the peer address without X-Forwarded-For', ['10.0.0.1'], requestFrom('10.0.0.1'), '10.0.0.1'],
  [
    'uses the peer address if the header contains no address',
    ['10.0.0.1'],
    requestFrom('10.0.0.1', 'unknown'),
    '10.0.0.1',
  ],
  ['reduces an IPv6 address to its network', ['::1'], requestFrom('::1', '2001:0DB8:0:7::42'), '2001:db8:0:7::/64'],
  ['removes the port from an IPv4 entry', ['::1'], requestFrom('::1', '9.9.9.9, 192.0.2.7:5678'), '192.0.2.7'],
  [
    'removes the port from an IPv6 entry',
    ['::1'],
    requestFrom('::1', '9.9.9.9, [2001:db8::1]:443'),
    '2001:db8:0:0::/64',
  ],
  ['accepts an IPv6 entry in brackets', ['::1'], requestFrom('::1', '[2001:db8::1]'), '2001:db8:0:0::/64'],
  [
    'recognizes a trusted proxy whose entry has a port',
    ['10.0.0.0/8', '2001:db8:9::1'],
    requestFrom('10.0.0.1', '203.0.113.9, 198.51.100.7:1234, [2001:db8:9::1]:443, 10.9.9.9:80'),
    '198.51.100.7',
  ],
  ['returns an empty address for a closed connection', ['10.0.0.1'], requestFrom(undefined, '198.51.100.7'), ''],
];

for (const [title, proxies, request, client] of cases) {
  test(title, (t) => t.is(clientAddress(request, trustProxies(proxies)), client));
}

for (const value of ['', 'proxy.example', '10.0.0.0/33', '10.0.0.1/x', '10.0.0.256', '10.0.0.1:80']) {
  test(`rejects ${JSON.stringify(value)} as a trusted proxy`, (t) => {
    const error = t.throws(() => trustProxies(['10.0.0.1', value]), { instanceOf: OtaError });
    t.like(error, { code: 'OPTION_INVALID', fields: { option: '--trust-proxy', value } });
  });
}
