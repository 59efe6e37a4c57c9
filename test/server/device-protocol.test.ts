import test from 'ava';
import type { Build } from '../../src/core/pack/build.ts';
import type { Signer } from '../../src/core/signing/signer.ts';
import { until } from '../support/until.ts';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { type DeviceWords, readResponse, requestAsDevice, sendRaw, updateRequest } from './raw-device.ts';
import { receiptsNoted, startTestServer, type TestServer } from './running-server.ts';

const signer: Signer = testSigner();
const old = await testBuild({ version: '1.0', signer });
const young = await testBuild({ version: '2.0', signer, seed: 2 });
const runsOld: DeviceWords = { sketchMd5: sketchMd5Of(old.manifest) };
const runsYoung: DeviceWords = { sketchMd5: sketchMd5Of(young.manifest) };

async function publishBoth(server: TestServer): Promise<void> {
  for (const build of [old, young]) await server.publish(build);
}

async function publishFiles(server: TestServer, builds: readonly Build[]): Promise<void> {
  for (const build of builds) await server.publish(build);
}

test('sends an update with the headers that the device requires, and without chunked encoding', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const response = await requestAsDevice(server.port, '/update/door', runsOld);
  t.is(response.status, 200);
  t.is(response.header('content-length'), String(response.body.length));
  t.is(response.header('transfer-encoding'), undefined);
  t.is(response.header('content-type'), 'application/octet-stream');
  t.is(response.header('content-disposition'), 'attachment; filename=door.bin.gz.signed');
  t.is(response.header('x-version'), '2.0');
  t.is(response.headers.filter(([name]) => name === 'x-md5').length, 1);
  t.is(response.header('x-md5'), response.md5);
  t.regex(response.header('x-md5') ?? '', /^[0-9a-f]{32}$/);
  t.is(response.header('connection'), 'close');
  t.deepEqual(response.body, Buffer.from(young.files.get('door.bin.gz.signed') ?? []));
});

test('returns 304 without a body for every flash mode, size and frequency of the running build', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  for (const { md5 } of young.manifest.image.sketchMd5s.filter((_, index) => index % 16 === 0)) {
    const response = await requestAsDevice(server.port, '/update/door', { sketchMd5: md5 });
    t.is(response.status, 304);
    t.is(response.body.length, 0);
    t.is(response.header('transfer-encoding'), undefined);
  }
});

test('accepts device header names in any case', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  for (const caseOf of [(name: string) => name.toLowerCase(), (name: string) => name.toUpperCase()]) {
    t.is((await requestAsDevice(server.port, '/update/door', { ...runsYoung, caseOf })).status, 304);
  }
});

test('supports HTTP/1.1 and keep-alive for device requests', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const request = updateRequest('/update/door', runsYoung)
    .replace('HTTP/1.0', 'HTTP/1.1')
    .replace('close', 'keep-alive');
  const bytes = await sendRaw(server.port, request + request.replace('keep-alive', 'close'));
  t.is(bytes.toString().match(/^HTTP\/1\.1 304/gm)?.length, 2);
});

test('closes the connection after a download even if the client requests keep-alive', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const requests = [
    updateRequest('/update/door', runsOld),
    updateRequest('/files/door/2.0/door.bin.signed', { without: ['x-ESP8266-STA-MAC'] }),
  ];
  for (const request of requests) {
    const kept = request.replace('HTTP/1.0', 'HTTP/1.1').replace('Connection: close', 'Connection: keep-alive');
    const response = readResponse(await sendRaw(server.port, kept + kept));
    t.is(response.header('connection'), 'close');
    t.is(response.header('content-length'), String(response.body.length), 'there is no second one behind it');
    t.is(response.header('x-md5'), response.md5);
  }
  await until(() => server.parts.downloads.active === 0);
  t.is(server.parts.counters.downloadsCompleted, 1, 'and it is known to have come to its end');
});

test('returns 403 only if the MAC is missing or malformed', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  for (const each of [{ mac: 'front door' }, { without: ['x-ESP8266-STA-MAC'] }]) {
    const response = await requestAsDevice(server.port, '/update/door', { ...runsOld, ...each });
    t.is(response.status, 403, JSON.stringify(each));
    t.is(response.header('content-length'), String(response.body.length));
  }
});

test('serves old cores and other clients, which send fewer headers', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const names = ['mode', 'AP-MAC', 'free-space', 'sketch-size', 'sketch-md5', 'chip-size', 'sdk-version', 'Chip-ID'];
  const omitted = names.map((name) => `x-ESP8266-${name}`);
  const requests: DeviceWords[] = [
    ...omitted.map((name) => ({ without: [name] })),
    { without: omitted },
    { userAgent: 'Homie' },
    { without: ['User-Agent'] },
  ];
  for (const [index, each] of requests.entries()) {
    const mac = `18:FE:34:00:01:${String(index).padStart(2, '0')}`;
    const response = await requestAsDevice(server.port, '/update/door', { ...runsOld, ...each, mac });
    t.is(response.status, 200, JSON.stringify(each));
    t.is(response.header('x-version'), '2.0');
  }
});

test('sends a release three times to a device that does not report its sketch MD5, and again after a retry', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const words: DeviceWords = { mac: '18:FE:34:00:02:01', without: ['x-ESP8266-sketch-md5', 'x-ESP8266-mode'] };
  const check = async () => (await requestAsDevice(server.port, '/update/door', words)).status;
  for (let receipts = 1; receipts <= 3; receipts++) {
    t.is(await check(), 200);
    await receiptsNoted(server, '18:FE:34:00:02:01', receipts);
  }
  t.is(await check(), 304);
  t.is((await server.api('POST', '/projects/door/devices/18:FE:34:00:02:01/retry')).status, 200);
  t.is(await check(), 200);
});

test('returns 404 for an unknown project, channel, mode or path, and when there is no filesystem release', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  for (const path of [
    '/update/window',
    '/update/door/beta',
    '/update/door/stable/x',
    '/update/',
    '/update/%zz',
    '/update/door%00',
  ]) {
    t.is((await requestAsDevice(server.port, path, runsOld)).status, 404, path);
  }
  for (const mode of ['spiffs', 'flash', 'Sketch', '']) {
    t.is((await requestAsDevice(server.port, '/update/door', { ...runsOld, mode })).status, 404, mode);
  }
});

test('returns 405 for a POST request to a device path', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const request = updateRequest('/update/door', runsOld).replace('GET', 'POST');
  t.is(readResponse(await sendRaw(server.port, request)).status, 405);
});

test('returns the available version for a version check, or the reported version when no update is safe', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const request = (words: DeviceWords) => requestAsDevice(server.port, '/update/door', { ...words, mode: 'version' });
  const newer = await request(runsOld);
  t.is(newer.status, 200);
  t.is(newer.header('x-version'), '2.0');
  t.is(newer.body.length, 0);
  const same = await request(runsYoung);
  t.is(same.status, 200);
  t.is(same.header('x-version'), '2.0');
  const none = await request({
    ...runsOld,
    sketchMd5: '0'.repeat(32),
    version: '0.5',
    freeSpace: 0,
    sketchSize: 1_000_000,
  });
  t.is(none.header('x-version'), '0.5');
  const { body } = await server.api('GET', '/projects/door/devices/18:FE:34:AA:BB:CC');
  t.deepEqual(body['attempts'], [], 'nothing was sent');
});

test('sends the raw signed sketch to a device with an unknown build unless its version is current', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const response = await requestAsDevice(server.port, '/update/door', {});
  t.is(response.status, 200);
  t.is(response.header('content-disposition'), 'attachment; filename=door.bin.signed');
  t.is((await requestAsDevice(server.port, '/update/door', { mac: '18:FE:34:00:00:02', version: '2.0' })).status, 304);
});

test('routes an alias path to its project and channel until the alias is removed', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const aliases = [{ path: '/esp/update/arduino.php' }, { path: '/beta.php', channel: 'beta' }];
  t.is((await server.api('PUT', '/projects/door', { aliases })).status, 200);
  await server.readChanges();
  t.is((await requestAsDevice(server.port, '/esp/update/arduino.php', runsOld)).status, 200);
  t.is((await requestAsDevice(server.port, '/esp/update/arduino.php?x=1', runsYoung)).status, 304);
  t.is((await requestAsDevice(server.port, '/beta.php', runsOld)).status, 404);
  await server.api('PUT', '/projects/door', { aliases: [] });
  t.is((await requestAsDevice(server.port, '/esp/update/arduino.php', runsOld)).status, 404);
});

test('serves and stores only enrolled devices in a closed project', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  await server.api('PUT', '/projects/door', { access: 'closed' });
  t.is((await requestAsDevice(server.port, '/update/door', runsOld)).status, 404);
  t.deepEqual((await server.api('GET', '/projects/door/devices')).body['devices'], [], 'and does not remember others');
  await server.api('PUT', '/projects/door/devices/18:fe:34:aa:bb:cc', { name: 'front door' });
  t.is((await requestAsDevice(server.port, '/update/door', runsOld)).status, 200);
});

test('enrolls the devices of a table', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  await server.api('PUT', '/projects/door', { access: 'closed' });
  const table = { devices: [{ mac: '18:FE:AA:AA:AA:AA', defaultName: 'DOOR-7.bin' }, { mac: '18:fe:aa:aa:aa:bb' }] };
  const [mac, other] = ['18:FE:AA:AA:AA:AA', '18:FE:AA:AA:AA:BB'] as const;
  const first = await server.api('POST', '/projects/door/devices/import', table);
  const added = [
    { mac, change: 'added', fields: ['enrolled', 'name'] },
    { mac: other, change: 'added', fields: ['enrolled'] },
  ];
  t.deepEqual(first.body, { devices: added, sharedAliases: [] });
  const again = await server.api('POST', '/projects/door/devices/import', table);
  const unchanged = [mac, other].map((each) => ({ mac: each, change: 'unchanged', fields: [] }));
  t.deepEqual(again.body, { devices: unchanged, sharedAliases: [] });
  t.is((await requestAsDevice(server.port, '/update/door', { ...runsOld, mac: '18:FE:AA:AA:AA:BB' })).status, 200);
  t.is((await server.api('POST', '/projects/door/devices/import', { nonsense: 1 })).status, 422);
});

test('requires the project password or the device password, and reveals neither', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
  await server.api('PUT', '/projects/door', { credential: { user: 'esp', password: 'open sesame' } });
  const without = await requestAsDevice(server.port, '/update/door', runsYoung);
  t.is(without.status, 401);
  t.regex(without.header('www-authenticate') ?? '', /^Basic /);
  const request = async (words: DeviceWords, credentials: string) =>
    (await requestAsDevice(server.port, '/update/door', { ...runsYoung, ...words, ...basic(credentials) })).status;
  t.is(await request({}, 'esp:open sesame'), 304);
  t.is(await request({}, 'esp:open sesame'), 304);
  t.is(await request({}, 'esp:open Sesame'), 401);
  t.is(await request({}, 'ESP:open sesame'), 401);
  const mac = '18:FE:34:00:00:07';
  await server.api('PUT', `/projects/door/devices/${mac}`, { credential: { user: 'seven', password: 'of its own' } });
  t.is(await request({ mac }, 'esp:open sesame'), 401);
  t.is(await request({ mac }, 'seven:of its own'), 304);
  t.like(await server.api('PUT', '/projects/door', { credential: null }), { status: 200 });
  t.is((await requestAsDevice(server.port, '/update/door', runsYoung)).status, 304);
  t.is((await requestAsDevice(server.port, '/update/door', { ...runsYoung, mac })).status, 401);
  const shown = JSON.stringify([
    server.logged,
    (await server.api('GET', '/projects')).body,
    (await server.api('GET', '/audit')).body,
  ]);
  t.notRegex(shown, /sesame|its own|"hash"|"salt"/);
});

test('does not count an interrupted download as received', async (t) => {
  const server = await startTestServer(t);
  const large = await testBuild({ version: '3.0', signer, seed: 3, sizeBytes: 3_000_000, compression: 'none' });
  await publishFiles(server, [old, large]);
  await sendRaw(server.port, updateRequest('/update/door', { freeSpace: 8_000_000 - 376_832, chipSize: 16_777_216 }), {
    during: (socket) => socket.once('data', () => socket.resetAndDestroy()),
  });
  const state = async () => JSON.stringify((await server.api('GET', '/projects/door/devices')).body['devices']);
  await until(() => server.parts.downloads.active === 0);
  t.regex(await state(), /"state":"sent"/);
  t.is(server.parts.counters.downloadsInterrupted, 1);
  const again = () =>
    requestAsDevice(server.port, '/update/door', { freeSpace: 8_000_000 - 376_832, chipSize: 16_777_216 });
  t.is((await again()).status, 304, 'the device waits an hour');
  const { body } = await server.api('GET', '/projects/door/devices/18:FE:34:AA:BB:CC');
  t.like(body, { status: 'pending', sketch: { code: 'interrupted' } });
  t.regex(await state(), /"state":"interrupted","sends":1,"receipts":0,"interruptions":1/);
  t.is((await server.api('POST', '/projects/door/devices/18:FE:34:AA:BB:CC/retry')).status, 200);
  t.is((await again()).status, 200);
  await until(async () => (await state()).includes('"state":"received"'));
  t.regex(await state(), /"state":"received","sends":1/);
});

test('serves a file by name only to devices that can install it safely, and always to other clients', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  const path = '/files/door/2.0/door.bin.signed';
  const toDevice = await requestAsDevice(server.port, path, runsOld);
  t.is(toDevice.status, 200);
  t.is(toDevice.header('x-md5'), toDevice.md5);
  t.is((await requestAsDevice(server.port, path, runsYoung)).status, 304);
  const browser = { userAgent: 'Mozilla', without: ['x-ESP8266-STA-MAC'] };
  const plain = await requestAsDevice(server.port, path, browser);
  t.is(plain.status, 200);
  t.deepEqual(plain.body, Buffer.from(young.files.get('door.bin.signed') ?? []));
  t.is((await requestAsDevice(server.port, '/files/door/@stable/door.bin.gz.signed', runsOld)).status, 200);
  const unsafe = await requestAsDevice(server.port, '/files/door/2.0/door.bin.gz', { mac: '18:FE:34:00:00:09' });
  t.is(unsafe.status, 304, 'an unknown device gets no gzip');
  for (const other of [
    '/files/door/2.0/nothing',
    '/files/door/9.9/door.bin',
    '/files/door/2.0',
    '/files/door/@beta/door.bin',
  ]) {
    t.is((await requestAsDevice(server.port, other, browser)).status, 404, other);
  }
});

test('does not send a yanked release, and reverts a device that runs the yanked release', async (t) => {
  const server = await startTestServer(t);
  await publishBoth(server);
  await server.api('POST', '/projects/door/releases/yank', { version: '2.0', reason: 'it smokes' });
  t.is((await requestAsDevice(server.port, '/update/door', runsOld)).status, 404);
  t.is((await requestAsDevice(server.port, '/files/door/2.0/door.bin.signed', runsOld)).status, 404);
  await server.api('PUT', '/projects/door/channels/stable', { version: '1.0' });
  const back = await requestAsDevice(server.port, '/update/door', runsYoung);
  t.is(back.status, 200);
  t.is(back.header('x-version'), '1.0');
});

test('delegates a download to nginx with X-Accel-Redirect', async (t) => {
  const server = await startTestServer(t, { accelPath: '/blobs' });
  await publishBoth(server);
  const response = await requestAsDevice(server.port, '/update/door', runsOld);
  t.is(response.status, 200);
  const { sha256, md5 } = young.manifest.artifacts.find(({ file }) => file === 'door.bin.gz.signed') ?? {};
  t.is(response.header('x-accel-redirect'), `/blobs/${sha256?.slice(0, 2)}/${sha256}`);
  t.is(response.header('x-md5'), md5);
  t.is(response.body.length, 0);
});
