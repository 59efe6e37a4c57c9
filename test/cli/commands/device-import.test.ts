/** Importing device tables: that of the PHP update script in the core's documentation, which serves two products, and CSV files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

test('server devices import moves the devices of an update script to their projects', async (t) => {
  const { server, run, json } = await migration(t, ['door', 'temp']);
  const { stdout } = await run('devices', 'import', 'arduino.php', '--alias', path, '--preview');
  t.regex(stdout, /^Enrolled 2 devices; 0 changed, 0 unchanged\nmac +project +file +next update\n/);
  t.regex(stdout, /18:FE:AA:AA:AA:AA +door +DOOR-7-g14f53a19\.bin +8 \(door\.bin\)\n/);
  t.regex(stdout, /18:FE:AA:AA:AA:BB +temp +TEMP-1\.0\.0\.bin +8 \(door\.bin\)\n/);
  t.regex(stdout, /Nothing was sent/);
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
  const again = await json('devices', 'import', 'arduino.php', '--alias', path);
  t.deepEqual(changesOf(again), ['unchanged', 'unchanged'], 'a repeated import changes nothing');
});

test('server devices import changes nothing while a device has no project', async (t) => {
  const { server, run } = await migration(t, ['door']);
  const { exitCode, error } = await run('devices', 'import', 'arduino.php', '--alias', path);
  t.is(exitCode, 2);
  t.is(error?.code, 'DEVICE_PROJECT_UNKNOWN');
  t.deepEqual((await server.api('GET', '/projects/door/devices')).body['devices'], []);
  t.is((await requestAsDevice(server.port, path, { mac: doorMac })).status, 404);
});

test('server devices import suggests the nearest names for an unknown project or board', async (t) => {
  const { server, run } = await migration(t, []);
  await server.publish(await testBuild({ project: 'door', version: '8', board: 'd1_mini' }));
  const imported = async (project: string, board: string) => {
    await writeFile(join(server.folder, 'table.csv'), `mac,project,board\n${doorMac},${project},${board}\n`);
    return run('devices', 'import', join(server.folder, 'table.csv'));
  };
  const { error } = await imported('dor', 'd1_mini');
  t.is(error?.code, 'DEVICE_PROJECT_UNKNOWN');
  t.regex(error?.hint ?? '', /^Did you mean door\? /);
  const { stderr, exitCode } = await imported('door', 'd1_mni');
  t.is(exitCode, 0);
  t.is(stderr, 'warning: no image of door is for the board d1_mni. Did you mean d1_mini?\n');
});

test('server devices import maps file names to projects, and reports a device without a release', async (t) => {
  const { server, json } = await migration(t, ['door']);
  await server.api('PUT', '/projects/temperature', {});
  const { previews } = await json('devices', 'import', 'arduino.php', '--map', 'TEMP-*=temperature', '--preview');
  t.like(previews, [
    { mac: doorMac, project: 'door', action: 'send', version: '8', artifact: 'door.bin' },
    { mac: tempMac, project: 'temperature', action: 'none', code: 'no-release' },
  ]);
});

test('server devices import ends with the shared aliases of the project', async (t) => {
  const { server, run } = await migration(t, ['door', 'temp']);
  for (const project of ['door', 'temp']) await server.api('PUT', `/projects/${project}`, { aliases: [{ path }] });
  const { stdout } = await run('devices', 'import', 'arduino.php', '--project', 'door', '--only', 'DOOR-*');
  t.regex(stdout, /^Enrolled 1 device; 0 changed, 0 unchanged\nSeveral projects share .*lists it as not enrolled\.\n$/);
});

test('server devices import changes the settings of known devices, and --dry-run shows the changes first', async (t) => {
  const { server, run, json } = await migration(t, ['door']);
  await json('devices', 'set', 'door', doorMac, '--name', 'old', '--group', 'hall', '--channel', 'beta');
  const folder = await testFolder(t, {
    'devices.csv': `mac;name;group;labels;project\n${doorMac};front door;;north ground;door\n${tempMac};;hall;;door\n`,
  });
  const inFolder = serverCommands(server, folder.path);
  const { stdout } = await inFolder.run('devices', 'import', 'devices.csv', '--dry-run');
  t.regex(stdout, /^18:FE:AA:AA:AA:AA +door +changed +name, labels$/m);
  t.regex(stdout, /^18:FE:AA:AA:AA:BB +door +added +enrolled, group$/m);
  t.regex(stdout, /^Would enroll 1 device; 1 changed, 0 unchanged\. Nothing was changed\.$/m);
  t.is((await json('devices', 'show', 'door', doorMac)).name, 'old');
  t.is((await run('devices', 'show', 'door', tempMac)).exitCode, 1);
  t.deepEqual(changesOf(await inFolder.json('devices', 'import', 'devices.csv')), ['changed', 'added']);
  t.like(await json('devices', 'show', 'door', 'front door'), {
    mac: doorMac,
    group: 'hall',
    channel: 'beta',
    labels: ['ground', 'north'],
  });
  t.deepEqual(changesOf(await inFolder.json('devices', 'import', 'devices.csv')), ['unchanged', 'unchanged']);
});

test('server devices import leaves no part of a table imported after an error on a later page', async (t) => {
  const { server } = await migration(t, ['door']);
  const rows = Array.from({ length: 1001 }, (_, index) => {
    const mac = `02:00:00:00:${hex(index >> 8)}:${hex(index & 255)}`;
    return `${mac},${index === 1000 ? '9.9' : ''}`;
  });
  const folder = await testFolder(t, { 'devices.csv': `mac,pin\n${rows.join('\n')}\n` });
  const { exitCode, error } = await serverCommands(server, folder.path).run(
    ...['devices', 'import', 'devices.csv', '--project', 'door'],
  );
  t.is(exitCode, 1);
  t.regex(error?.message ?? '', /no release 9\.9/);
  t.is(await server.parts.store.devices.count('door'), 0);
});

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0').toUpperCase();
}

function changesOf({ devices }: { readonly devices: readonly { readonly change: string }[] }): readonly string[] {
  return devices.map(({ change }) => change);
}
