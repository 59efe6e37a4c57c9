/** Devices and rollouts on Debian's mosquitto, in the formats of Home Assistant. */
import test from 'ava';
import { execa } from 'execa';
import type { Build } from '../../../src/core/pack/build.ts';
import type { MqttSettings } from '../../../src/server/services/mqtt/publisher.ts';
import { actsOf } from '../../docs/acts.ts';
import { type PostgresCluster, startPostgres } from '../../engines/postgres.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import {
  requireHomeAssistantMessage,
  type UpdateDiscovery,
  type UpdateState,
} from '../../server/mqtt/home-assistant.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { receiptsNoted, startTestServer, type TestServer } from '../../server/running-server.ts';
import { usedAuthority } from '../../server/tls/authority.ts';
import { startReceiver, typesIn } from '../../server/webhooks/receiver.ts';
import { serveWith } from '../server/serving-process.ts';
import { installMosquitto, type Mosquitto, mosquitto, type Subscriber, subscriber } from './mosquitto.ts';

const signer = testSigner();
const recipe = { project: 'door', signer, sizeBytes: 8192 };
const [old, young] = [
  await testBuild({ ...recipe, version: '1.0' }),
  await testBuild({ ...recipe, version: '2.0', seed: 2 }),
];
const [canary, mac] = ['02:00:00:00:00:0A', '02:00:00:00:00:0B'];

let cluster: PostgresCluster;

test.before(async () => {
  await installMosquitto();
  cluster = await startPostgres();
});

test.after.always(() => cluster?.end());

function settings({ port }: Mosquitto, more: Partial<MqttSettings> = {}): { readonly mqtt: MqttSettings } {
  return { mqtt: { host: '127.0.0.1', port, isSecure: false, mayInstall: false, ...more } };
}

/** Starts a rollout of 2.0 that waits for the canary. Two enrolled devices run 1.0. */
async function startRollout(server: TestServer): Promise<void> {
  t201((await server.publish(old)).status);
  t201((await server.publish(young, { draft: true })).status);
  for (const each of [canary, mac]) {
    await server.api('PUT', `/projects/door/devices/${each}`, { enrolled: true });
    await checkIn(server, each, old);
  }
  const stages = [{ canaries: [canary] }, { share: 100 }];
  t201((await server.api('POST', '/projects/door/rollouts', { version: '2.0', stages })).status);
}

function t201(status: number): void {
  if (status !== 201) throw new Error(`status ${status}`);
}

function checkIn({ port }: TestServer, from: string, { manifest }: Build) {
  return requestAsDevice(port, '/update/door', { mac: from, sketchMd5: sketchMd5Of(manifest) });
}

/** Returns the topic that ends in `end`; undefined if there is none. */
function topicOf({ topics }: Subscriber, end: string): string | undefined {
  return [...topics.keys()].find((topic) => topic.endsWith(end));
}

/** Returns the last JSON message of the topic that ends in `end`. */
function lastOf<Message>(client: Subscriber, end: string): Message | undefined {
  const payload = client.topics.get(topicOf(client, end) ?? '');
  return payload === undefined ? undefined : (JSON.parse(payload) as Message);
}

const stateOf = (client: Subscriber, from = mac) =>
  lastOf<UpdateState>(client, `/door/${from.replaceAll(':', '')}/state`);
const discoveryOf = (client: Subscriber, from = mac) =>
  lastOf<UpdateDiscovery>(client, `_${from.slice(-2)}/door_${from.replaceAll(':', '')}/config`);
const sensor = (client: Subscriber) => lastOf<{ state: string }>(client, '/door/rollout')?.state;

function requireValid({ log }: Subscriber): void {
  for (const { topic, payload } of log) if (payload !== '') requireHomeAssistantMessage(topic, payload);
}

test('each device is an update entity, and a halt reaches the sensor, a webhook and a gauge once', async (t) => {
  const broker = await mosquitto(t);
  await broker.start();
  const client = await subscriber(t, broker.port);
  const server = await startTestServer(t, settings(broker));
  const receiver = await startReceiver(t);
  const webhook = { url: receiver.url, events: ['rollout.started', 'rollout.halted'], format: 'standard' };
  t201((await server.api('POST', '/webhooks', { ...webhook, allowPrivate: true })).status);
  await startRollout(server);
  await client.until(() => stateOf(client)?.latest_version === '2.0' && stateOf(client, canary) !== undefined);
  t.like(stateOf(client), { installed_version: '1.0', title: 'door', in_progress: false, update_percentage: null });
  t.regex(
    stateOf(client)?.release_summary ?? '',
    /^Waiting for stage 2 of 2 of the rollout\. Published \d{4}-\d\d-\d\d\.$/,
  );
  t.is(discoveryOf(client)?.command_topic, undefined, 'entities are read-only');
  await server.api('PUT', '/projects/door/releases/notes', { version: '2.0', notes: 'Fixes **Wi-Fi**.' });
  await client.until(() => stateOf(client)?.release_summary?.endsWith('.\n\nFixes **Wi-Fi**.') === true);

  t.is((await checkIn(server, mac, old)).status, 304);
  t.is((await checkIn(server, canary, old)).status, 200);
  await client.until(() => stateOf(client, canary)?.in_progress === true);
  await receiptsNoted(server, canary, 1);
  await checkIn(server, canary, young);
  await client.until(() => stateOf(client, canary)?.installed_version === '2.0');
  t.like(stateOf(client, canary), { latest_version: '2.0', in_progress: false });

  // A name with the characters of wildcards, JSON and templates.
  const name = 'Tür "1" +/# {{ 1 }} \\';
  await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true, name });
  await client.until(() => discoveryOf(client)?.device.name === name);

  t.is(sensor(client), 'OFF');
  const before = client.log.length;
  const haltedAt = Date.now();
  const yanked = { version: '2.0', reason: 'smoke' };
  t.is((await server.api('POST', '/projects/door/releases/yank', yanked)).status, 200);
  const after = () => `${Date.now() - haltedAt} ms`;
  const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${server.token}` } });
  t.regex(await metrics.text(), /^ota_rollout_state\{.*state="halted"\} 1$/m);
  t.log(`The gauge shows the halt after ${after()}.`);
  await client.until(() => sensor(client) === 'ON');
  t.log(`The halt reached the subscriber after ${after()}.`);
  await receiver.received(2);
  t.log(`The halt reached the webhook after ${after()}.`);
  await client.until(() => stateOf(client)?.latest_version === '1.0');
  const states = client.log.slice(before).filter(({ topic }) => topic.endsWith('/door/rollout'));
  t.deepEqual(
    states.map(({ payload }) => JSON.parse(payload).attributes.halted),
    [[{ rollout: 1, version: '2.0', channel: 'stable', reason: 'yanked: smoke' }]],
  );

  t.deepEqual(typesIn(receiver.log), ['rollout.started', 'rollout.halted']);
  const { deliveries } = (await server.api('GET', '/webhooks/1/deliveries')).body as {
    deliveries: { event: string }[];
  };
  t.deepEqual(
    deliveries.map(({ event }) => event),
    ['rollout.halted', 'rollout.started'],
    'the log contains each event once',
  );

  await server.api('DELETE', `/projects/door/devices/${mac}`);
  await client.until(() => discoveryOf(client) === undefined && stateOf(client) === undefined);
  t.is(topicOf(client, '/availability') && client.topics.get(topicOf(client, '/availability') ?? ''), 'online');
  await server.close(0);
  await client.until(() => client.log.at(-1)?.payload === 'offline');
  requireValid(client);
  for (const { topic, payload } of client.log) t.notRegex(topic + payload, /127\.0\.0\.1/, 'network addresses');
});

test('installs the shown release once on one device, only if a client may do so', async (t) => {
  const broker = await mosquitto(t);
  await broker.start();
  const client = await subscriber(t, broker.port);
  const server = await startTestServer(t, settings(broker, { mayInstall: true }));
  await startRollout(server);
  await client.until(() => stateOf(client)?.latest_version === '2.0');
  const { command_topic: command = '', payload_install: payload = '' } = discoveryOf(client) ?? {};
  await client.publish(command, 'something else');
  await client.publish(command, payload);
  await client.until(() => /^Requested: 2\.0 is sent/.test(stateOf(client)?.release_summary ?? ''));
  t.is((await checkIn(server, mac, old)).header('x-version'), '2.0');
  await client.until(() => stateOf(client)?.in_progress === true);
  await receiptsNoted(server, mac, 1);
  t.is((await checkIn(server, mac, old)).status, 304, 'the release is sent once');
  t.is((await server.parts.records.find('door', mac))?.pin, undefined);
  const audit = await server.parts.store.audit.ofDevice('door', mac, 1);
  t.like(audit[0], { actor: 'mqtt', action: 'device.install-requested', detail: { version: '2.0' } });

  // A paused rollout stays paused.
  const { publish } = client;
  await server.api('POST', '/projects/door/rollouts/1/pause', {});
  await publish(command.replace('0B/', '0A/'), payload);
  const rejected = () => server.logged.some(({ message }) => message === 'Installation requested by MQTT rejected');
  while (!rejected()) await new Promise(setImmediate);
  t.is((await checkIn(server, canary, old)).status, 304);
  t.is((await server.parts.store.audit.ofDevice('door', canary, 1))[0]?.action, 'device.enrolled');
});

test('a server starts without its broker, logs the outage once, and publishes everything again', async (t) => {
  const broker = await mosquitto(t);
  const server = await startTestServer(t, settings(broker));
  await startRollout(server);
  const outages = () => server.logged.filter(({ message }) => message.startsWith('MQTT broker unavailable'));
  while (outages().length === 0) await new Promise(setImmediate);
  t.like(outages()[0]?.fields, { broker: `127.0.0.1:${broker.port}` });
  await broker.start();
  const client = await subscriber(t, broker.port);
  await client.until(() => stateOf(client)?.latest_version === '2.0');
  const expected = new Map(client.topics);

  // The broker loses its retained messages. Devices are served as always.
  await broker.stop();
  t.is((await checkIn(server, canary, old)).status, 200);
  await receiptsNoted(server, canary, 1);
  await server.api('DELETE', `/projects/door/devices/${canary}`);
  while (outages().length === 1) await new Promise(setImmediate);
  await broker.start();
  const later = await subscriber(t, broker.port);
  await later.until(() => stateOf(later) !== undefined && sensor(later) !== undefined);
  t.deepEqual(stateOf(later), stateOf(client));
  t.is(stateOf(later, canary), undefined);
  t.true(expected.size > later.topics.size);
  t.is(outages().length, 2);
});

test('removes the entities of devices that were removed while the server was stopped', async (t) => {
  const broker = await mosquitto(t);
  await broker.start();
  const client = await subscriber(t, broker.port);
  const server = await startTestServer(t, settings(broker));
  await startRollout(server);
  await client.until(() => stateOf(client) !== undefined && stateOf(client, canary) !== undefined);
  const withoutBroker = await server.restart();
  await withoutBroker.api('DELETE', `/projects/door/devices/${mac}`);
  await withoutBroker.restart(settings(broker));
  await client.until(() => stateOf(client) === undefined && discoveryOf(client) === undefined);
  t.not(stateOf(client, canary), undefined);
});

test('logs in over TLS with a CA file and a password, and logs a rejected password without it', async (t) => {
  const authority = await usedAuthority(t);
  const folder = authority.at('tls');
  const lines = [`cafile ${folder}/ca.pem`, `certfile ${folder}/server.pem`, `keyfile ${folder}/server.key`];
  const broker = await mosquitto(t, [...lines, `password_file ${folder}/passwords`]);
  await execa('mosquitto_passwd', ['-b', '-c', `${folder}/passwords`, 'ota', 'correct-horse']);
  await broker.start();
  const url = `mqtts://ota@localhost:${broker.port}`;
  const serve = async (password: string, ca: string) => {
    const env = { OTA_MQTT_PASSWORD: password };
    const [command = ''] = actsOf('alerts.md', 'Home Assistant').flatMap((act) =>
      act.act === 'run' ? act.command : [],
    );
    const argv = command.split(' ').slice(command.split(' ').indexOf('--mqtt'));
    const places = { 'mqtts://ota@broker.example.com': url, 'ca.pem': ca } as Readonly<Record<string, string>>;
    const server = await serveWith(broker.folder.at('data'), undefined, {
      more: argv.map((word) => places[word] ?? word),
      env,
    });
    t.teardown(async () => {
      server.kill('SIGKILL');
      await server.ended;
    });
    return server;
  };
  await serve('correct-horse', `${folder}/ca.pem`);
  const topics: string[] = [];
  const { default: mqtt } = await import('mqtt');
  const ca = await authority.text('tls/ca.pem');
  const client = await mqtt.connectAsync(url, { username: 'ota', password: 'correct-horse', ca });
  t.teardown(() => client.endAsync(true));
  const received = new Promise<void>((resolve) => {
    client.on('message', (topic, payload) => {
      topics.push(topic);
      if (payload.toString() === 'online') resolve();
    });
  });
  await client.subscribeAsync('ota-hooks/+/availability');
  await received;
  t.is(topics.length, 1);
  const wrong = { host: 'localhost', isSecure: true, ca, user: 'ota', password: 'wrong-horse' };
  const { logged } = await startTestServer(t, settings(broker, wrong));
  const outage = () => logged.find(({ message }) => message.startsWith('MQTT broker unavailable'));
  while (outage() === undefined) await new Promise(setImmediate);
  t.like(outage()?.fields, { reason: 'Connection refused: Not authorized' });
  t.notRegex(JSON.stringify(logged), /wrong-horse/);
});

test('of two processes, one publishes, and the other continues when the first is killed', async (t) => {
  t.timeout(180_000);
  const broker = await mosquitto(t);
  await broker.start();
  const client = await subscriber(t, broker.port);
  const env = {
    OTA_DATABASE_URL: await cluster.createDatabase('mqtt'),
    OTA_MQTT_URL: `mqtt://127.0.0.1:${broker.port}`,
  };
  const first = await serveWith(broker.folder.at('data'), undefined, { env });
  await client.until(() => client.log.length > 0);
  const second = await serveWith(broker.folder.at('data'), undefined, { env });
  t.teardown(async () => {
    for (const each of [first, second]) each.kill('SIGKILL');
    await Promise.all([first.ended, second.ended]);
  });
  const api = (method: string, path: string, body: object) =>
    fetch(`${second.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${first.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  t.is((await api('PUT', '/projects/door', {})).status, 200);
  const device = `/projects/door/devices/${mac}`;
  t.is((await api('PUT', device, { enrolled: true, name: 'front' })).status, 200);
  await client.until(() => discoveryOf(client)?.device.name === 'front');
  await client.until(() => sensor(client) === 'OFF');
  for (const topic of client.topics.keys()) {
    t.is(client.log.filter((message) => message.topic === topic).length, 1, `${topic} is published once`);
  }
  first.kill('SIGKILL');
  await first.ended;
  await client.until(() => client.log.some(({ payload }) => payload === 'offline'));
  t.is((await api('PUT', device, { enrolled: true, name: 'back' })).status, 200);
  await client.until(() => discoveryOf(client)?.device.name === 'back');
  t.is(client.log.filter(({ payload }) => payload === 'online').length, 2);
});
