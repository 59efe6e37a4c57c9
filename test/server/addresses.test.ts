/** Addresses of devices, which the server must not pass on. */
import test from 'ava';
import { operations } from '../../src/server/http/api/operations/registry.ts';
import { until } from '../support/until.ts';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { requestAsDevice } from './raw-device.ts';
import { startTestServer } from './running-server.ts';
import { startReceiver } from './webhooks/receiver.ts';

const signer = testSigner();
const old = await testBuild({ version: '1.0', project: 'door', signer, sizeBytes: 8192 });
const young = await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 8192 });
const address = '127.77.66.55';
const macs = ['02:00:00:00:00:01', '02:00:00:00:00:02'];

/** Responses that show addresses to find a client, and the reason. */
const shown: Readonly<Record<string, string>> = {
  getRollout: 'sources of reports without credentials',
  listDevicesNotEnrolled: 'devices that nobody has enrolled',
  getBackup: 'a copy of all records for a new server',
};

test('no webhook and no list contains the address of a device', async (t) => {
  const server = await startTestServer(t);
  const receiver = await startReceiver(t);
  const events = ['rollout.started', 'rollout.halted', 'release.published', 'release.promoted'];
  t.is((await server.api('POST', '/webhooks', { url: receiver.url, events, allowPrivate: true })).status, 201);
  t.is((await server.publish(old)).status, 201);
  t.is((await server.publish(young, { draft: true })).status, 201);
  for (const mac of macs)
    t.is((await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true })).status, 200);
  const request = { version: '2.0', halt: { failures: 1 }, stages: [{ share: 100 }] };
  const started = await server.api('POST', '/projects/door/rollouts', request);
  t.is(started.status, 201);
  const { id } = started.body;
  // Each device downloads the release three times and still runs the old one.
  const md5 = sketchMd5Of(old.manifest);
  for (const mac of macs) {
    for (let check = 0; check < 4; check++) {
      await requestAsDevice(server.port, '/update/door', { mac, sketchMd5: md5 }, address);
      await until(() => server.parts.downloads.active === 0);
    }
  }
  await until(async () => (await server.api('GET', `/projects/door/rollouts/${id}`)).body['state'] === 'halted');
  await until(() => receiver.log.some(({ body }) => body.includes('rollout.halted')));
  await server.parts.lastSeen.flush();
  const rollout = JSON.stringify((await server.api('GET', `/projects/door/rollouts/${id}`)).body);
  t.true(rollout.includes(address), 'the server knows the address');
  t.regex(rollout, /all reports from 1 address, unproven/);
  for (const { body } of receiver.log) t.false(body.includes(address), body);

  const params: Readonly<Record<string, string>> = {
    project: 'door',
    mac: macs[0] ?? '',
    rolloutId: String(id),
    webhookId: '1',
  };
  const headers = { authorization: `Bearer ${server.token}` };
  const read: string[] = [];
  for (const { id: name, method, path } of operations) {
    if (method !== 'get' || shown[name] !== undefined) continue;
    const url = `${server.url}/api/v1${path.replaceAll(/\{(\w+)\}/g, (_, param) => params[param] ?? 'unknown')}`;
    const text = await (await fetch(url, { headers })).text();
    t.false(text.includes(address), `${name}: ${text}`);
    read.push(name);
  }
  for (const name of ['listDevices', 'getDevice', 'listRollouts', 'listReleases']) t.true(read.includes(name), name);
  t.false((await (await fetch(`${server.url}/metrics`, { headers })).text()).includes(address));
});
