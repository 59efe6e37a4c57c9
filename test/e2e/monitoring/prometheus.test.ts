/** The monitoring templates with Debian's Prometheus, which scrapes a running server. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { testFolder } from '../../support/test-folder.ts';
import { installPrometheus, startPrometheus } from './prometheus.ts';

const folderPath = fileURLToPath(new URL('../../../templates/monitoring/', import.meta.url));
const textOf = (name: string) => readFile(folderPath + name, 'utf8');
const signer = testSigner();
const [old, young] = await Promise.all(
  ['1.0', '2.0'].map((version, seed) => testBuild({ version, project: 'door', signer, seed, sizeBytes: 8192 })),
);

test.before(installPrometheus);

/** Queries of the Grafana dashboard, with its variables replaced. */
async function dashboardQueries(): Promise<readonly string[]> {
  const { panels } = JSON.parse(await textOf('grafana-dashboard.json')) as {
    panels: readonly { targets: readonly { expr: string }[] }[];
  };
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr.replaceAll('$project', '.*')));
}

test('a halted rollout fires an alert in Prometheus, and every query of the dashboard can be evaluated', async (t) => {
  t.timeout(120_000);
  const server = await startTestServer(t);
  if (old === undefined || young === undefined) throw new Error('no builds');
  t.is((await server.publish(old)).status, 201);
  t.is((await server.publish(young, { draft: true })).status, 201);
  const mac = '02:00:00:00:00:01';
  await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true });
  await requestAsDevice(server.port, '/update/door', { mac, sketchMd5: sketchMd5Of(old.manifest) });
  t.is((await server.api('POST', '/projects/door/rollouts', { version: '2.0' })).status, 201);
  const yanked = { version: '2.0', reason: 'it crashes' };
  t.is((await server.api('POST', '/projects/door/releases/yank', yanked)).status, 200);

  const { body } = await server.api('POST', '/tokens', { roles: ['read'], name: 'prometheus' });
  const folder = await testFolder(t);
  const token = await folder.write('token', `${body['token']}\n`);
  const config = (await textOf('prometheus.yml'))
    .replace('127.0.0.1:8266', `127.0.0.1:${server.port}`)
    .replace('/etc/prometheus/ota-hooks.token', token)
    .replace('/etc/prometheus/ota-hooks-alerts.yml', `${folderPath}alerts.yml`);
  const prometheus = await startPrometheus(t, config);

  const firing = async () => {
    const { alerts } = (await prometheus.get('alerts')) as { alerts: readonly { state: string; labels: object }[] };
    return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels);
  };
  while ((await firing()).length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
  const labels = {
    alertname: 'OtaRolloutHalted',
    severity: 'critical',
    project: 'door',
    channel: 'stable',
    version: '2.0',
  };
  t.deepEqual(await firing(), [labels]);

  const { groups } = (await prometheus.get('rules')) as {
    groups: readonly { rules: readonly { name: string; health: string }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  t.true(rules.length >= 6);
  t.deepEqual(
    rules.filter(({ health }) => health !== 'ok'),
    [],
  );

  const names = (await prometheus.get('label/__name__/values')) as readonly string[];
  for (const query of await dashboardQueries()) {
    const { result } = (await prometheus.get(`query?query=${encodeURIComponent(query)}`)) as { result: unknown[] };
    t.true(Array.isArray(result), query);
  }
  const used = [...`${await dashboardQueries()}${await textOf('alerts.yml')}`.matchAll(/\bota_\w+/g)].map(
    ([name]) => name,
  );
  const withoutSamples = [
    'ota_devices_blocked',
    'ota_update_failures_total',
    'ota_device_responses_total',
    'ota_webhook_pending_seconds',
  ];
  t.deepEqual(
    [...new Set(used)].filter((name) => !names.includes(name) && !withoutSamples.includes(name)),
    [],
    'the server exports every metric that the templates use',
  );
});

/** Series of two servers for a rollout, in the notation of `promtool test rules`. */
function stalledSeries(values: string): string {
  const seriesOf = (instance: string) =>
    `ota_rollout_stalled{project="door",channel="stable",version="2.0",instance="${instance}"}`;
  return ['a', 'b'].map((each) => `      - series: '${seriesOf(each)}'\n        values: '${values}'\n`).join('');
}

test('the alert rules fire for a stalled rollout, for failed and blocked devices and for a server that fails or is down', async (t) => {
  const folder = await testFolder(t);
  const stalled = 'The rollout of door 2.0 on stable is stalled';
  const none = '        exp_alerts: []\n';
  const alert = (time: string, name: string, expected: string) =>
    `      - eval_time: ${time}\n        alertname: ${name}\n${expected}`;
  const text = `
rule_files: [${folderPath}alerts.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
${stalledSeries('0x60 1x60 0x60')}
      - series: 'ota_devices{project="door",status="failed",instance="a"}'
        values: '0x60 2x200'
      - series: 'ota_devices_blocked{project="door",rule="no-space",instance="a"}'
        values: '3x200'
      - series: 'ota_webhook_pending_seconds{webhook="2",instance="a"}'
        values: '0+60x30 0x60 0+60x100'
      - series: 'ota_failures_total{job="ota-hooks",instance="a"}'
        values: '0x60 1x200'
      - series: 'up{job="ota-hooks",instance="a"}'
        values: '1x60 0x200'
    alert_rule_test:
${alert('59m', 'OtaRolloutStalled', none)}
${alert('1h2m', 'OtaRolloutStalled', expectedAlert('warning', { project: 'door', channel: 'stable', version: '2.0' }, stalled, 'Run: ota-hooks server rollouts show door --channel stable'))}
${alert('2h5m', 'OtaRolloutStalled', none)}
${alert('1h30m', 'OtaDevicesFailed', none)}
${alert('2h10m', 'OtaDevicesFailed', expectedAlert('warning', { project: 'door' }, '2 devices of door failed to install an update', 'Run: ota-hooks server devices list door --failed'))}
${alert('1h10m', 'OtaDevicesBlocked', expectedAlert('info', { project: 'door', rule: 'no-space' }, '3 devices of door are blocked by no-space', 'Run: ota-hooks server devices list door'))}
${alert('19m', 'OtaWebhookStuck', none)}
${alert('30m', 'OtaWebhookStuck', expectedAlert('warning', { webhook: '2' }, 'Webhook 2 has not accepted an event for 30m 0s', 'Run: ota-hooks server webhooks deliveries 2'))}
${alert('1h', 'OtaWebhookStuck', none)}
${alert('59m', 'OtaServerErrors', none)}
${alert('1h2m', 'OtaServerErrors', expectedAlert('warning', { job: 'ota-hooks', instance: 'a' }, 'Requests to a failed because of a server error', 'Check the log of the server.'))}
${alert('1h10m', 'OtaServerDown', expectedAlert('critical', { job: 'ota-hooks', instance: 'a' }, 'The update server a does not respond'))}
`;
  const path = await folder.write('tests.yml', text);
  await execa('promtool', ['check', 'rules', `${folderPath}alerts.yml`]);
  const { stdout } = await execa('promtool', ['test', 'rules', path], { all: true });
  t.regex(stdout, /SUCCESS/);
});

function expectedAlert(severity: string, labels: object, summary: string, description?: string): string {
  const expected = { exp_labels: { severity, ...labels }, exp_annotations: { summary, description } };
  return `        exp_alerts: [${JSON.stringify(expected)}]\n`;
}
