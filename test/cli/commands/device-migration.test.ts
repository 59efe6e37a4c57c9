/** Moving the PHP update script of the core's documentation, which serves two products, to the server. */
import test, { type ExecutionContext } from 'ava';
import { testBuild } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { serverCommands } from '../../support/server-commands.ts';
import { testFolder } from '../../support/test-folder.ts';

const path = '/esp/update/arduino.php';
const script = `<?PHP
$db_string = '{
    "18:FE:AA:AA:AA:AA": {"file": "DOOR-7-g14f53a19.bin", "version": 1},
    "18:FE:AA:AA:AA:BB": {"file": "TEMP-1.0.0.bin", "version": 1}}';
$db = json_decode($db_string, true);
?>`;
const [doorMac, tempMac] = ['18:FE:AA:AA:AA:AA', '18:FE:AA:AA:AA:BB'] as const;

async function migration(t: ExecutionContext, projects: readonly string[]) {
  const server = await startTestServer(t);
  for (const [seed, project] of projects.entries()) {
    await server.publish(await testBuild({ project, version: '8', seed: seed + 1 }));
  }
  const folder = await testFolder(t, { 'arduino.php': script });
  return { server, ...serverCommands(server, folder.path) };
}

test('server devices migrate enrolls each device in its project and shows what each would be sent', async (t) => {
  const { server, run, json } = await migration(t, ['door', 'temp']);
  const { stdout } = await run('devices', 'migrate', 'arduino.php', '--alias', path);
  t.regex(stdout, /^mac +project +file +next update\n/);
  t.regex(stdout, /18:FE:AA:AA:AA:AA +door +DOOR-7-g14f53a19\.bin +8 \(door\.bin\)\n/);
  t.regex(stdout, /18:FE:AA:AA:AA:BB +temp +TEMP-1\.0\.0\.bin +8 \(door\.bin\)\n/);
  t.regex(stdout, /Enrolled 2 devices in 2 projects\. Nothing was sent/);
  t.regex(stdout, /Several projects share \/esp\/update\/arduino\.php: .* sent nothing/);
  for (const [mac, project] of [
    [doorMac, 'door'],
    [tempMac, 'temp'],
  ] as const) {
    t.deepEqual((await json('devices', 'show', project, mac)).attempts, [], 'a preview sends nothing');
    t.is((await requestAsDevice(server.port, path, { mac })).status, 200);
    t.is((await json('devices', 'show', project, mac)).attempts.length, 1);
  }
  t.is((await requestAsDevice(server.port, path, { mac: '18:FE:AA:AA:AA:CC' })).status, 304);
  const again = await json('devices', 'migrate', 'arduino.php', '--alias', path);
  t.is(again.length, 2, 'a repeated migration changes nothing');
});

test('server devices migrate changes nothing while a device has no project', async (t) => {
  const { server, run } = await migration(t, ['door']);
  const { exitCode, error } = await run('devices', 'migrate', 'arduino.php', '--alias', path);
  t.is(exitCode, 2);
  t.is(error?.code, 'DEVICE_PROJECT_UNKNOWN');
  t.deepEqual((await server.api('GET', '/projects/door/devices')).body['devices'], []);
  t.is((await requestAsDevice(server.port, path, { mac: doorMac })).status, 404);
});

test('server devices migrate maps file names to projects, and reports a device without a release', async (t) => {
  const { server, json } = await migration(t, ['door']);
  await server.api('PUT', '/projects/temperature', {});
  const devices = await json('devices', 'migrate', 'arduino.php', '--map', 'TEMP-*=temperature');
  t.like(devices, [
    { mac: doorMac, project: 'door', action: 'send', version: '8', artifact: 'door.bin' },
    { mac: tempMac, project: 'temperature', action: 'none', code: 'no-release' },
  ]);
});

test('server devices import ends with the shared aliases of the project', async (t) => {
  const { server, run } = await migration(t, ['door', 'temp']);
  for (const project of ['door', 'temp']) await server.api('PUT', `/projects/${project}`, { aliases: [{ path }] });
  const { stdout } = await run('devices', 'import', 'door', 'arduino.php', '--only', 'DOOR-*');
  t.regex(stdout, /^Enrolled 1 device; 0 already enrolled\nSeveral projects share .*lists it as not enrolled\.\n$/);
});
