/** Invented devices: they neither fill the device table nor lock out devices that an administrator enrolls. */
import test from 'ava';
import { NewDevices } from '../../../src/server/services/devices/new-devices.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { protectedForMs } from '../../../src/server/storage/eviction.ts';
import { sketchMd5Of } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { firstBuild } from './data-folder.ts';

const macOf = (index: number) =>
  `02:00:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`.toUpperCase();

/** Sends two requests that make an invented device look as if it had installed the update. */
async function pretend({ port }: TestServer, mac: string): Promise<void> {
  await requestAsDevice(port, '/update/door', { mac });
  await requestAsDevice(port, '/update/door', { mac, sketchMd5: sketchMd5Of(firstBuild.manifest) });
}

test('prevents devices that look proven from locking out new devices and devices that an administrator enrolls', async (t) => {
  const limits = { mostDevices: 20, newDevicesPerNetwork: 1_000_000 };
  const server = await startTestServer(t, { limits });
  await server.publish(firstBuild);
  const enrolled = 'AA:AA:AA:AA:AA:01';
  t.is((await server.api('PUT', `/projects/door/devices/${enrolled}`, { name: 'real' })).status, 200);
  for (let index = 0; index < 60; index++) await pretend(server, macOf(index));
  const { devices } = server.parts.store;
  t.true((await devices.count('door')) <= 21);
  t.true((await devices.count('door')) > 10, 'devices are not evicted without need');

  t.is((await requestAsDevice(server.port, '/update/door', { mac: 'AA:AA:AA:AA:AA:02' })).status, 200, 'a new device');
  t.is((await requestAsDevice(server.port, '/update/door', { mac: enrolled })).status, 200);
  for (let index = 0; index < 30; index++) {
    const mac = `BB:BB:BB:BB:BB:${index.toString(16).padStart(2, '0').toUpperCase()}`;
    t.is((await server.api('PUT', `/projects/door/devices/${mac}`, {})).status, 200, 'always finds room');
  }
  const table = { devices: Array.from({ length: 30 }, (_, index) => ({ mac: macOf(5000 + index) })) };
  const { status, body } = await server.api('POST', '/projects/door/devices/import', table);
  t.is(status, 200);
  t.is((body as { devices?: { change: string }[] }).devices?.filter(({ change }) => change === 'added').length, 30);
  for (let index = 100; index < 160; index++) await pretend(server, macOf(index));
  t.truthy(await devices.get('door', enrolled));
  t.truthy(await devices.get('door', macOf(5000)));
  countAttacks({ kind: 'invented devices that look proven', tried: 120, withstood: 120 });
});

test('protects proven devices up to half of the limit, and only if they were seen recently', async (t) => {
  const server = await startTestServer(t);
  await server.publish(firstBuild);
  const { devices } = server.parts.store;
  const few = { mostDevices: 10 };
  const now = Date.now();
  const save = async (mac: string, seenAt: number, more: object) =>
    t.is(await devices.save({ ...newRecord('door', mac), firstSeenAt: seenAt, ...more }, few), 'saved');
  const isThere = async (mac: string) => (await devices.get('door', mac)) !== undefined;

  await save(macOf(1), now - protectedForMs - 1, { proven: true });
  for (let index = 2; index < 6; index++) await save(macOf(index), now - 1000 + index, { proven: true });
  for (let index = 10; index < 100; index++) await save(macOf(index), now + index, {});
  t.false(await isThere(macOf(1)), 'it was not seen for a month');
  for (let index = 2; index < 6; index++) t.true(await isThere(macOf(index)));

  for (let index = 100; index < 130; index++) await save(macOf(index), now + index, { proven: true });
  await save(macOf(200), now + 200, {});
  const tallied = await devices.list('door', { limit: 100 });
  t.true(tallied.length <= 10);
  t.true(await isThere(macOf(200)));
  await save(macOf(201), now + 201, { credential: { user: 'esp', salt: 'x', hash: 'x' } });
  for (let index = 300; index < 400; index++) await save(macOf(index), now + index, {});
  t.true(await isThere(macOf(201)), 'a device with credentials is never evicted');
});

test('limits new devices per network, counts the deferred update checks, and shows them on the dashboard', async (t) => {
  const server = await startTestServer(t, { limits: { newDevicesPerNetwork: 5 }, openMetrics: true });
  await server.publish(firstBuild);
  const enrolled = 'AA:AA:AA:AA:AA:01';
  await server.api('PUT', `/projects/door/devices/${enrolled}`, {});
  const statuses: number[] = [];
  for (let index = 0; index < 12; index++) {
    statuses.push((await requestAsDevice(server.port, '/update/door', { mac: macOf(index) })).status);
  }
  t.deepEqual(statuses, [...Array<number>(5).fill(200), ...Array<number>(7).fill(503)]);
  t.is((await requestAsDevice(server.port, '/update/door', { mac: enrolled })).status, 200);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  t.true(metrics.split('\n').includes('ota_new_devices_deferred_total 7'));
  const login = await fetch(`${server.url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: server.url, 'content-type': 'application/x-www-form-urlencoded' },
    body: `token=${server.token}`,
  });
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const page = await (await fetch(`${server.url}/projects/door/devices`, { headers: { cookie } })).text();
  t.regex(page, /Update checks of new devices deferred in the last hour: 7\..*--new-devices-per-network/);
});

test('accepts new devices from a network again at the permitted rate, without affecting other networks', (t) => {
  let now = 0;
  const newDevices = new NewDevices(2, () => now);
  t.deepEqual(
    ['a', 'a', 'a', 'b'].map((network) => newDevices.admit('door', network)),
    [true, true, false, true],
  );
  t.is(newDevices.deferred('door'), 1);
  t.is(newDevices.deferred('window'), 0);
  now = 60 * 60_000;
  t.is(newDevices.deferred('door'), 0);
});
