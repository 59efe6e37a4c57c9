import test, { type ExecutionContext } from 'ava';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { drivers } from '../../server/storage/drivers.ts';
import { runCommand } from '../../support/run-command.ts';

const signer = testSigner();
const [first, second] = [
  await testBuild({ version: '1.0', project: 'door', signer, seed: 1 }),
  await testBuild({ version: '2.0', project: 'door', signer, seed: 2 }),
];
const mac = '18:FE:34:00:00:01';

/** The folder of a stopped server with an enrolled device that runs the release of an active rollout. */
async function stoppedServer(t: ExecutionContext): Promise<string> {
  const server = await startTestServer(t);
  t.is((await server.publish(first)).status, 201);
  t.is((await server.api('PUT', `/projects/door/devices/${mac}`, { enrolled: true, group: 'hall' })).status, 200);
  t.is((await server.publish(second, { draft: true })).status, 201);
  const rollout = { version: '2.0', stages: [{ share: 100 }] };
  t.is((await server.api('POST', '/projects/door/rollouts', rollout)).status, 201);
  await requestAsDevice(server.port, '/update/door', { mac });
  await requestAsDevice(server.port, '/update/door', { mac, sketchMd5: sketchMd5Of(second.manifest) });
  await server.close(0);
  return server.folder;
}

async function check(folder: string, ...options: readonly string[]) {
  const argv = ['server', 'check', '--data', folder, '--json', ...options];
  const { exitCode, stdout, stderr } = await runCommand(argv, { cwd: folder });
  const { problems = [], repair } = stdout === '' ? {} : JSON.parse(stdout);
  return { exitCode, kinds: problems.map(({ kind }: { kind: string }) => kind), stderr, repair };
}

/** Changes the database as a fault of the server would. */
function change(folder: string, statement: string): void {
  const [driver] = drivers;
  const database = driver?.open(`${folder}/ota.db`);
  database?.exec(statement);
  database?.close();
}

const faults = {
  'a count of devices that is too high': 'UPDATE device_counts SET devices = devices + 1 WHERE devices > 0',
  'a missing count of devices': 'DELETE FROM device_counts',
  'a count of blocked devices without such a device': "INSERT INTO blocker_counts VALUES (1, 'flash-size', 1)",
  'a count of a rollout that is too high': 'UPDATE rollout_counts SET devices = devices + 1 WHERE devices > 0',
  'a member of the wrong kind': "UPDATE rollout_members SET kind = 'unknown'",
  'a member that is not a device': `INSERT INTO rollout_members VALUES (1, '18:FE:34:00:00:09', 0, 'running', 5, NULL)`,
} as const;

for (const [fault, statement] of Object.entries(faults)) {
  test(`server check finds ${fault}, and --repair counts the devices again`, async (t) => {
    const folder = await stoppedServer(t);
    t.like(await check(folder), { exitCode: 0, kinds: [] });
    change(folder, statement);
    const found = await check(folder);
    t.not(found.exitCode, 0);
    t.true(found.kinds.length > 0);
    t.deepEqual([...new Set(found.kinds)], ['count-mismatch']);
    const repaired = await check(folder, '--repair');
    t.is(repaired.exitCode, 0, repaired.stderr);
    t.regex(repaired.repair.changes.join(), /Counted all devices again/);
    t.like(await check(folder), { exitCode: 0, kinds: [] });
  });
}

test('server check reads the records of the database that is set, and --repair counts the devices again', async (t) => {
  const folder = await stoppedServer(t);
  const stores = ['--database', `sqlite:${folder}/ota.db`, '--blobs', `file:${folder}`];
  const argv = ['server', 'check', '--data', `${folder}/other`, ...stores];
  const whole = await runCommand(argv, { cwd: folder });
  t.is(whole.exitCode, 0, whole.stderr);
  t.regex(whole.stderr, /^No problems: 2 releases, 1 device, \d+ firmware files/m);
  change(folder, faults['a count of devices that is too high']);
  const found = await check(folder, ...stores);
  t.not(found.exitCode, 0);
  t.deepEqual([...new Set(found.kinds)], ['count-mismatch']);
  const repaired = await check(folder, ...stores, '--repair');
  t.is(repaired.exitCode, 0, repaired.stderr);
  t.is(repaired.repair.backup, undefined);
  t.like(await check(folder), { exitCode: 0, kinds: [] });
});

test('server check --repair keeps webhooks and the events that wait for them', async (t) => {
  const server = await startTestServer(t);
  const url = 'http://127.0.0.1:9/secret-of-the-chat';
  const webhook = { url, events: ['release.published'], allowPrivate: true };
  for (let count = 0; count < 2; count++) t.is((await server.api('POST', '/webhooks', webhook)).status, 201);
  t.is((await server.publish(first)).status, 201);
  await server.close(0);
  const shown = () => read(server.folder, 'SELECT id, url, secret, events, format FROM webhooks');
  const queued = () => read(server.folder, 'SELECT id, webhook_id, event_id, payload, state FROM webhook_deliveries');
  const [webhooks, deliveries] = [shown(), queued()];
  t.is(webhooks.length, 2);
  t.is(deliveries.length, 2);
  change(server.folder, "UPDATE webhooks SET format = 'fax' WHERE id = 2");
  change(server.folder, "UPDATE devices SET doc = 'x'; UPDATE releases SET manifest = 'x'");
  const { repair } = await check(server.folder, '--repair');
  t.deepEqual(shown(), webhooks.slice(0, 1));
  t.deepEqual(queued(), deliveries);
  const changes = JSON.stringify(repair);
  t.regex(changes, /Dropped webhooks 2: format: /);
  t.notRegex(changes, /secret-of-the-chat|whsec_/);
});

function read(folder: string, query: string): readonly unknown[] {
  const [driver] = drivers;
  const database = driver?.open(`${folder}/ota.db`);
  const rows = database?.prepare(`${query} ORDER BY id`).all([]);
  database?.close();
  return JSON.parse(JSON.stringify(rows ?? []));
}
