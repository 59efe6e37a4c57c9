/** State of devices and rollouts in /metrics. */
import test, { type ExecutionContext } from 'ava';
import type { RolloutRequest } from '../../../src/api/rollout.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { requestAsDevice } from '../raw-device.ts';
import { startTestServer, type TestServer } from '../running-server.ts';
import { startReceiver } from '../webhooks/receiver.ts';

const signer = testSigner();
const old = await testBuild({ version: '1.0', project: 'door', signer, sizeBytes: 8192 });
const young = await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 8192 });

/** Returns the series of a metric with their values, sorted. */
async function seriesOf(server: TestServer, metric: RegExp, token = server.token): Promise<readonly string[]> {
  const response = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const lines = (await response.text()).split('\n');
  return lines.filter((line) => !line.startsWith('#') && metric.test(line)).sort();
}

/** Server with three devices: two run 1.0, and the third has too little space for 1.0. */
async function smallFleet(t: ExecutionContext): Promise<TestServer> {
  const server = await startTestServer(t);
  t.is((await server.publish(old)).status, 201);
  t.is((await server.publish(young, { draft: true })).status, 201);
  for (const mac of ['02:00:00:00:00:01', '02:00:00:00:00:02']) {
    await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true });
    await requestAsDevice(server.port, '/update/door', { mac, sketchMd5: sketchMd5Of(old.manifest) });
  }
  const tight = { mac: '02:00:00:00:00:03', version: '0.5', freeSpace: 4096 };
  t.is((await requestAsDevice(server.port, '/update/door', tight)).status, 304);
  return server;
}

test('/metrics contains the devices of each project by status, release and blocking rule', async (t) => {
  const server = await smallFleet(t);
  t.true(
    (await seriesOf(server, /^ota_devices_blocked/)).includes('ota_devices_blocked{project="door",rule="no-space"} 1'),
  );
  t.deepEqual(await seriesOf(server, /^ota_devices_running/), [
    'ota_devices_running{project="door",version="1.0"} 2',
    'ota_devices_running{project="door",version="other"} 1',
  ]);
  t.deepEqual(await seriesOf(server, /^ota_devices\{/), [
    'ota_devices{project="door",status="blocked"} 1',
    'ota_devices{project="door",status="failed"} 0',
    'ota_devices{project="door",status="pending"} 0',
    'ota_devices{project="door",status="unknown"} 0',
    'ota_devices{project="door",status="up-to-date"} 2',
    'ota_devices{project="door",status="updating"} 0',
  ]);
  const { body } = await server.api('POST', '/tokens', { roles: ['read'], project: 'window' });
  t.deepEqual(await seriesOf(server, /^ota_(devices|rollout)/, String(body['token'])), ['ota_rollout_halts_total 0']);
});

test('/metrics contains the state, the stages and the progress of each rollout', async (t) => {
  const server = await smallFleet(t);
  const request: RolloutRequest = { version: '2.0', stages: [{ share: 50 }, { share: 100 }] };
  const { status, body } = await server.api('POST', '/projects/door/rollouts', request);
  t.is(status, 201);
  const labels = 'project="door",channel="stable",version="2.0"';
  t.deepEqual(await seriesOf(server, /^ota_rollout_(stages|open_stages)/), [
    `ota_rollout_open_stages{${labels}} 1`,
    `ota_rollout_stages{${labels}} 2`,
  ]);
  t.deepEqual(await seriesOf(server, /^ota_rollout_devices.* [^0]/), [
    `ota_rollout_devices{${labels},state="pending"} 2`,
  ]);
  t.deepEqual(await seriesOf(server, /^ota_rollout_state.* 1$/), [`ota_rollout_state{${labels},state="active"} 1`]);
  t.is((await seriesOf(server, /^ota_rollout_state/)).length, 6);
  await server.api('POST', `/projects/door/rollouts/${body['id']}/pause`, { reason: 'lunch' });
  t.deepEqual(await seriesOf(server, /^ota_rollout_state.* 1$/), [`ota_rollout_state{${labels},state="paused"} 1`]);
});

test('/metrics contains the events that wait for a webhook, and their age', async (t) => {
  const server = await startTestServer(t);
  const receiver = await startReceiver(t);
  receiver.answer = { status: 500 };
  const webhook = { url: receiver.url, events: ['release.published'], allowPrivate: true };
  t.is((await server.api('POST', '/webhooks', webhook)).status, 201);
  t.deepEqual(await seriesOf(server, /^ota_webhook/), [], 'nothing waits');
  await server.parts.store.audit.add({
    ...{ at: Date.now() - 1_200_000, actor: 'tester', action: 'release.published', project: 'door', detail: {} },
  });
  const [events, seconds] = await seriesOf(server, /^ota_webhook/);
  t.is(events, 'ota_webhook_pending_events{webhook="1"} 1');
  const [, age] = /^ota_webhook_pending_seconds\{webhook="1"\} ([\d.]+)$/.exec(seconds ?? '') ?? [];
  t.true(Number(age) >= 1200, seconds);
  const { body } = await server.api('POST', '/tokens', { roles: ['read'], project: 'door' });
  t.deepEqual(await seriesOf(server, /^ota_webhook/, String(body['token'])), [], 'only for all projects');
});

test('/metrics has at most 1,000 series for a project, however many versions and channels it has', async (t) => {
  const server = await startTestServer(t);
  t.is((await server.publish(old)).status, 201);
  const { store } = server.parts;
  const known = await store.catalog.find('door', { version: '1.0', kind: 'sketch', board: '' });
  if (known === undefined) throw new Error('no release');
  const { id: _, yanked: __, ...release } = known;
  for (let index = 0; index < 510; index++) {
    const version = `1.0.${index}`;
    const manifest = { ...release.manifest, artifacts: [] };
    const publication = { release: { ...release, version, manifest }, channel: undefined, isTrusted: true };
    await store.catalog.publish({ ...publication, project: undefined, audit: () => [] });
    const running = { by: 'version' as const, version };
    const record = { project: 'door', mac: macOf(index), revision: 0, enrolled: true, running };
    await store.devices.save({ ...record, decisions: {}, attempts: [] }, { mostDevices: 9 });
  }
  for (let index = 0; index < 34; index++) {
    const request: RolloutRequest = { version: '1.0', channel: `channel-${index}` };
    t.is((await server.api('POST', '/projects/door/rollouts', request)).status, 201);
  }
  const series = await seriesOf(server, /project="door"/);
  t.true(series.length <= 1000, String(series.length));
  t.true(series.includes('ota_devices_running{project="door",version="other"} 30'));
  t.true(
    series.some((line) => line.includes('channel="channel-33"')),
    'the newest rollouts are included',
  );
});

function macOf(index: number): string {
  return `02:00:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`.toUpperCase();
}
