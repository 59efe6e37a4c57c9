import test from 'ava';
import { networkOf } from '../../../src/server/auth/network.ts';

const networks: readonly (readonly [address: string, network: string])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0DB8:0:7:1:2:3:4', '2001:db8:0:7::/64'],
  ['1::2:3:4:5:6', '1:0:0:2::/64'],
  ['1:2::', '1:2:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
];

for (const [address, network] of networks) {
  test(`maps the address ${JSON.stringify(address)} to the network ${JSON.stringify(network)}`, (t) =>
    t.is(networkOf(address), network));
}
