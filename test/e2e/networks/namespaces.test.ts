/** Hosts with only IPv6, and names with no, one and many addresses, in network namespaces of their own. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { repository } from '../../docs/pages.ts';
import { door } from '../../support/built-sketch.ts';
import { testFolder } from '../../support/test-folder.ts';
import { cli } from '../server/serving-process.ts';

const inside = fileURLToPath(new URL('test/e2e/networks/inside.mjs', `file://${repository}/`));

/** Runs a task of inside.mjs in a namespace after a shell command has set up the network there. */
async function within(setUp: string, task: string, folder: string): Promise<unknown> {
  const script = `ip link set lo up && ${setUp} && exec "$@"`;
  const argv = ['--net', '--mount', 'sh', '-c', script, 'sh', process.execPath, inside, task, cli, folder];
  const { stdout } = await execa('unshare', argv);
  return JSON.parse(stdout);
}

/** Adds a network without addresses. */
const network = 'ip link add eth0 type veth peer name eth1 && ip link set eth0 up && ip link set eth1 up';

test('a server on an IPv6-only host prints addresses that answer, and no others', async (t) => {
  const { path } = await testFolder(t);
  const setUp = `ip -4 addr flush dev lo && ${network} && ip -6 addr add fd00::5/64 dev eth0 nodad`;
  const answers = await within(setUp, 'addresses', path);
  t.deepEqual(answers, { 'http://[::1]:8266': 200, 'http://[fd00::5]:8266': 200 });
});

test('a server on a host with both families prints addresses of both, which answer', async (t) => {
  const { path } = await testFolder(t);
  const setUp = `${network} && ip addr add 192.0.2.5/24 dev eth0 && ip -6 addr add fd00::5/64 dev eth0 nodad`;
  const answers = await within(setUp, 'addresses', path);
  t.deepEqual(answers, { 'http://127.0.0.1:8266': 200, 'http://192.0.2.5:8266': 200, 'http://[fd00::5]:8266': 200 });
});

test('upload tries all addresses of a name, and names one that has none', async (t) => {
  const addresses = Array.from({ length: 20 }, (_, index) => `127.0.1.${index + 1}`);
  const hosts = [...addresses.map((address) => `${address} twenty.test`), '127.0.0.1 loopback.test'].join('\n');
  const folder = await testFolder(t, { 'door.bin': door.bin, hosts: `${hosts}\n` });
  const setUp = `mount --bind ${folder.at('hosts')} /etc/hosts`;
  const results = await within(setUp, 'names', folder.path);
  t.like(results, {
    'twenty.test': { devices: [{ outcome: 'updated' }] },
    'missing.test': { devices: [{ message: 'unreachable: no IPv4 address found for missing.test' }] },
    'loopback.test': { devices: [{ outcome: 'failed' }] },
  });
});

test('discover adds none of two devices that have the same name on two links, unless an address selects one', async (t) => {
  const folder = await testFolder(t, { 'ota.config.json': '{}' });
  const results = await within('true', 'links', folder.path);
  t.like(results, {
    name: { exitCode: 1, hint: 'Select one of them with --host: 192.0.2.2, 198.51.100.2.' },
    // The name would select any of the two.
    address: { exitCode: 0, address: '198.51.100.2' },
  });
});
