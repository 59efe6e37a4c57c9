import test from 'ava';
import { type Interfaces, ownHosts } from '../../src/server/http/own-addresses.ts';

function interfaces(...addresses: readonly string[]): Interfaces {
  return {
    any: addresses.map((address) => ({
      ...{ address, netmask: '', mac: '', cidr: null, internal: address === '::1' || address.startsWith('127.') },
      ...(address.includes(':') ? { family: 'IPv6', scopeid: 0 } : { family: 'IPv4' }),
    })),
  } as Interfaces;
}

test('names the addresses at which a server on all addresses answers', (t) => {
  const both = interfaces('127.0.0.1', '::1', '192.168.1.5', '2001:db8::5', 'fe80::1');
  t.deepEqual(ownHosts('0.0.0.0', both), { local: '127.0.0.1', others: ['192.168.1.5'] });
  t.deepEqual(ownHosts('::', both), { local: '127.0.0.1', others: ['192.168.1.5', '[2001:db8::5]'] });
});

test('names only IPv6 addresses on a machine without IPv4', (t) => {
  const hosts = ownHosts('::', interfaces('::1', 'fd00::5'));
  t.deepEqual(hosts, { local: '[::1]', others: ['[fd00::5]'] });
});

test('names an address of the network on a machine without loopback', (t) => {
  t.is(ownHosts('0.0.0.0', interfaces('10.0.0.7')).local, '10.0.0.7');
  t.is(ownHosts('::', {}).local, '[::1]');
});
