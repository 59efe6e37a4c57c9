/** Projects that share the path of an old update script, as DOOR and TEMP do in the core's documentation. */
import test, { type ExecutionContext } from 'ava';
import { namedProject } from '../../src/api/named-project.ts';
import { sketchMd5Of, testBuild } from './builds.ts';
import { type DeviceWords, requestAsDevice } from './raw-device.ts';
import { startTestServer, type TestServer } from './running-server.ts';

const path = '/esp/update/arduino.php';
const door = await testBuild({ project: 'door', version: '8', seed: 1 });
const temp = await testBuild({ project: 'temp', version: '1.1', seed: 2 });
const oldTemp = await testBuild({ project: 'temp', version: '1.0', seed: 3 });
const doorMac = '18:FE:AA:AA:AA:AA';
const tempMac = '18:FE:AA:AA:AA:BB';
const unknownMac = '18:FE:AA:AA:AA:CC';

/** Server with unsigned releases of both projects. `alias` lists the projects that have the alias. */
async function serverWith(t: ExecutionContext, alias: readonly ('door' | 'temp')[]): Promise<TestServer> {
  const server = await startTestServer(t);
  for (const build of [door, oldTemp, temp]) await server.publish(build);
  for (const project of alias) {
    const { status } = await server.api('PUT', `/projects/${project}`, { aliases: [{ path }] });
    t.is(status, 200);
    // A new path is known everywhere within a second, and a further project with the same path immediately.
    if (project === alias[0]) await server.readChanges();
  }
  return server;
}

/** Returns the digest of the project's image if the device is sent one; otherwise the status. */
async function sent(server: TestServer, mac: string, words: DeviceWords = {}): Promise<string | number> {
  const response = await requestAsDevice(server.port, path, { mac, ...words });
  if (response.status !== 200) return response.status;
  const found = [door, temp].find(({ manifest }) => manifest.artifacts.some(({ md5 }) => md5 === response.md5));
  return found?.manifest.project ?? 'unknown';
}

async function notEnrolled(server: TestServer): Promise<readonly string[]> {
  await server.readChanges();
  const { body } = await server.api('GET', '/devices/not-enrolled');
  return (body['devices'] as { mac: string }[]).map(({ mac }) => mac);
}

test('sends each device on a shared alias the release of the project in which the device is enrolled', async (t) => {
  const server = await serverWith(t, ['door', 'temp']);
  await server.api('POST', '/projects/door/devices/import', { devices: [{ mac: doorMac }] });
  await server.api('POST', '/projects/temp/devices/import', { devices: [{ mac: tempMac }] });
  t.is(await sent(server, doorMac, { version: '1' }), 'door');
  t.is(await sent(server, tempMac, { version: '1' }), 'temp');
  t.is(await sent(server, tempMac, { version: 'DOOR-7-g14f53a19' }), 'temp', 'enrollment outranks the reported name');
});

test('never sends the release of an alias to a device that is known in a different project', async (t) => {
  const server = await serverWith(t, ['door']);
  await server.api('PUT', `/projects/temp/devices/${tempMac}`, { enrolled: true });
  t.is(await sent(server, tempMac), 304, 'enrolled');
  t.is(await sent(server, tempMac, { version: 'DOOR-7' }), 304, 'enrolled, whatever it reports');
  const running: DeviceWords = { sketchMd5: sketchMd5Of(oldTemp.manifest) };
  t.is(await sent(server, unknownMac, running), 304, 'runs a known build');
  t.is(
    await sent(server, unknownMac, { ...running, version: 'DOOR-7' }),
    304,
    'runs a known build, whatever it reports',
  );
  t.is(await sent(server, unknownMac, { version: 'TEMP-1.0.0' }), 304, 'reports the name of the project');
  t.deepEqual((await server.api('GET', '/projects/door/devices')).body['devices'], []);
});

test('serves unknown devices on an alias of one project', async (t) => {
  const server = await serverWith(t, ['door']);
  t.is(await sent(server, unknownMac), 'door');
  t.is(await sent(server, doorMac, { version: 'GARAGE-1.0' }), 'door');
  t.deepEqual(await notEnrolled(server), []);
});

test('returns 304 to an unknown device on a shared alias, and lists the device until it is enrolled', async (t) => {
  const server = await serverWith(t, ['door', 'temp']);
  t.is(await sent(server, unknownMac, { version: '1' }), 304);
  await server.readChanges();
  const { body } = await server.api('GET', '/devices/not-enrolled');
  t.like((body['devices'] as object[])[0], {
    mac: unknownMac,
    path,
    projects: ['door', 'temp'],
    knownIn: [],
    version: '1',
  });
  t.is((await requestAsDevice(server.port, path, { mac: unknownMac, mode: 'version' })).status, 404);
  const version = await requestAsDevice(server.port, path, { mac: unknownMac, mode: 'version', version: '1' });
  t.is(version.header('x-version'), '1');
  await server.api('PUT', `/projects/temp/devices/${unknownMac}`, { enrolled: true });
  t.deepEqual(await notEnrolled(server), []);
  t.is(await sent(server, unknownMac, { version: '1' }), 'temp');
});

test('lists a device that is not enrolled only while a project has the alias', async (t) => {
  const server = await serverWith(t, ['door', 'temp']);
  t.is(await sent(server, unknownMac), 304);
  t.deepEqual(await notEnrolled(server), [unknownMac]);
  await server.api('PUT', '/projects/temp', { aliases: [] });
  const { body } = await server.api('GET', '/devices/not-enrolled');
  t.like((body['devices'] as object[])[0], { projects: ['door'] });
  await server.api('PUT', '/projects/door', { aliases: [] });
  t.deepEqual(await notEnrolled(server), []);
});

test('recognizes a device on a shared alias by its build, its reported name or its access point', async (t) => {
  const server = await serverWith(t, ['door', 'temp']);
  t.is(await sent(server, '18:FE:34:00:00:01', { sketchMd5: sketchMd5Of(oldTemp.manifest) }), 'temp');
  t.is(await sent(server, '18:FE:34:00:00:02', { version: 'TEMP-1.0.0' }), 'temp');
  t.is(await sent(server, '18:FE:34:00:00:03', { version: 'door@7' }), 'door');
  t.is(
    await sent(server, '18:FE:34:00:00:04', { sketchMd5: sketchMd5Of(oldTemp.manifest), version: 'DOOR-7' }),
    'temp',
    'the running build outranks the reported name',
  );
  await server.api('PUT', '/projects/temp/devices/1A:FE:34:AA:BB:CC', { enrolled: true });
  t.is(
    await sent(server, '18:FE:34:00:00:05', { version: 'DOOR-7' }),
    'temp',
    'the MAC of its access point is enrolled',
  );
  const { body } = await server.api('GET', '/projects/temp/devices/1A:FE:34:AA:BB:CC');
  t.is((body['attempts'] as unknown[]).length, 1, 'and the record is that of the enrolled device');
});

test('lists a device that is enrolled in several projects of an alias unless its build or name decides', async (t) => {
  const server = await serverWith(t, ['door', 'temp']);
  for (const project of ['door', 'temp']) {
    await server.api('PUT', `/projects/${project}/devices/${tempMac}`, { enrolled: true });
  }
  t.is(await sent(server, tempMac), 304);
  t.deepEqual(await notEnrolled(server), [tempMac]);
  t.is(await sent(server, tempMac, { version: 'TEMP-1.0.0' }), 'temp');
  t.deepEqual(await notEnrolled(server), []);
});

test('serves only enrolled devices of a closed project on a shared alias, and lists the others', async (t) => {
  const server = await serverWith(t, ['door', 'temp']);
  await server.api('PUT', '/projects/temp', { access: 'closed' });
  t.is(await sent(server, tempMac, { version: 'TEMP-1.0.0' }), 304);
  t.deepEqual(await notEnrolled(server), [tempMac]);
  await server.api('PUT', `/projects/temp/devices/${tempMac}`, { enrolled: true });
  t.is(await sent(server, tempMac, { version: 'TEMP-1.0.0' }), 'temp');
});

test('rejects sharing an alias with a token for one project, and hides devices on the aliases of other projects from this token', async (t) => {
  const server = await serverWith(t, ['door']);
  await server.api('PUT', '/projects/window', {});
  const { body } = await server.api('POST', '/tokens', { roles: ['admin'], project: 'window' });
  const token = String(body['token']);
  t.is((await server.api('PUT', '/projects/window', { aliases: [{ path }] }, token)).status, 409);
  t.is(await sent(server, unknownMac, { version: 'TEMP-1.0.0' }), 304);
  t.deepEqual(await notEnrolled(server), [unknownMac]);
  t.deepEqual((await server.api('GET', '/devices/not-enrolled', undefined, token)).body['devices'], []);
});

test('reads the project in a reported version, and prefers the longest name', (t) => {
  const projects = ['door', 'front-door', 'front', 'Temp'];
  t.is(namedProject(projects, 'DOOR-7-g14f53a19'), 'door');
  t.is(namedProject(projects, 'Front-Door-1.0'), 'front-door');
  t.is(namedProject(projects, 'temp@1.0.0'), 'Temp');
  for (const version of [undefined, '', '1', 'door', 'doorbell-1.0', '1.0-door']) {
    t.is(namedProject(projects, version), undefined);
  }
});

test('lists at most 100 devices of one address that are not enrolled', async (t) => {
  const { parts } = await startTestServer(t);
  const { notEnrolled } = parts;
  const macAt = (index: number) => `18:FE:34:00:00:${index.toString(16).padStart(2, '0').toUpperCase()}`;
  const add = (mac: string, address: string, lastSeenAt: number) =>
    notEnrolled.add({ mac, path, projects: ['door', 'temp'], knownIn: [], version: undefined, address, lastSeenAt });
  const listed = async () => (await notEnrolled.update()).map(({ mac }) => mac);
  add(doorMac, '192.0.2.7', 0);
  for (let index = 0; index < 150; index++) add(macAt(index), '192.0.2.9', index);
  t.is((await listed()).length, 101, 'the rest is dropped before it is written');
  for (let index = 150; index < 200; index++) add(macAt(index), '192.0.2.9', index);
  const list = await listed();
  t.is(list.length, 101, 'the oldest are removed');
  t.is(list[0], macAt(199));
  t.true(list.includes(doorMac));
  notEnrolled.remove(doorMac);
  t.false((await listed()).includes(doorMac));
});
