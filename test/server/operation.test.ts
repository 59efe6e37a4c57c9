import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'ava';
import { pinoLog } from '../../src/server/observability/pino-log.ts';
import { afterRequest, afterSend, overdue } from '../../src/server/services/devices/attempts.ts';
import { failOverdueDevices, removeOrphans } from '../../src/server/services/maintenance.ts';
import { startServer } from '../../src/server/start.ts';
import { expectOtaError } from '../support/expected-error.ts';
import { endlessMs } from '../support/patience.ts';
import { until } from '../support/until.ts';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { readResponse, requestAsDevice, sendRaw, updateRequest } from './raw-device.ts';
import { digestOf, receiptsNoted, startTestServer, upload } from './running-server.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer });
/** Build that does not fit in the socket buffers of client and server. */
const large = await testBuild({ version: '2.0', signer, seed: 2, sizeBytes: 3_000_000, compression: 'none' });
/** Returns the number of timers that keep the process running. */
const runningTimers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
const roomy = { freeSpace: 8_000_000 - 376_832, chipSize: 16_777_216 };

test('finishes active downloads and accepts no new connections while stopping', async (t) => {
  const server = await startTestServer(t);
  await server.publish(large);
  const response = new Promise<Buffer>((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port: server.port });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.write(updateRequest('/update/door', roomy));
    socket.pause();
    server.parts.stopping.addEventListener('abort', () => socket.resume());
  });
  await until(() => server.parts.downloads.active >= 1);
  await server.close(endlessMs);
  const { header, body, md5 } = readResponse(await response);
  t.is(header('content-length'), String(body.length));
  t.is(header('x-md5'), md5);
  await t.throwsAsync(fetch(`${server.url}/healthz`));
});

test('closes idle connections while stopping, and responds to a partly received request', async (t) => {
  const server = await startTestServer(t);
  const open = () => connect({ host: '127.0.0.1', port: server.port });
  const [silent, responded, waiting] = [open(), open(), open()];
  const sockets = [silent, responded, waiting];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  const closed = Promise.all(sockets.map((socket) => once(socket, 'close')));
  const responses: Buffer[] = [];
  waiting.on('data', (chunk: Buffer) => responses.push(chunk));
  const request = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
  responded.write(request);
  // The rest of the second request follows while the server is stopping.
  waiting.write(request + request.slice(0, 20));
  // The server accepts connections in order. It has therefore accepted the silent connection by now.
  await Promise.all([once(silent, 'connect'), once(responded, 'data'), once(waiting, 'data')]);
  const stopped = server.close(endlessMs);
  waiting.write(request.slice(20));
  // By default, Node.js would wait for keepAliveMs or the grace period. AVA would time out before either ends.
  await Promise.all([stopped, closed]);
  const statuses = Buffer.concat(responses)
    .toString()
    .match(/HTTP\/1\.1 \d+/g);
  t.deepEqual(statuses, ['HTTP/1.1 200', 'HTTP/1.1 503'], 'the request that had begun is answered');
});

test('writes many last-seen times in small batches when stopping, without waiting for a timer', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const words = { sketchMd5: sketchMd5Of(build.manifest) };
  await requestAsDevice(server.port, '/update/door', words);
  for (let count = 0; count < 4000; count++) {
    server.parts.lastSeen.note('door', `02:00:00:00:00:${count}`, Date.now(), {});
  }
  const { devices } = server.parts.store;
  const write = devices.touch.bind(devices);
  const written: number[] = [];
  let timers = 0;
  devices.touch = (touches) => {
    const before = runningTimers();
    const done = write(touches);
    timers += runningTimers() - before;
    written.push(touches.length);
    return done;
  };
  await server.close(endlessMs);
  t.true(written.length <= 21, `${written.length} writes`);
  t.true(Math.max(...written) <= 200, 'requests are answered between two writes');
  t.is(timers, 0, 'a server that stops does not wait until a write is due');
  const next = await server.restart();
  const { body } = await next.api('GET', '/projects/door/devices/18:FE:34:AA:BB:CC', undefined, server.token);
  t.regex(String(body['lastSeenAt']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z$/, 'exact to a minute');
});

test('aborts a stalled download when the shutdown grace period ends', async (t) => {
  const server = await startTestServer(t);
  await server.publish(large);
  const socket = connect({ host: '127.0.0.1', port: server.port });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  socket.write(updateRequest('/update/door', roomy));
  socket.pause();
  await until(() => server.parts.downloads.active >= 1);
  await server.close(200);
  t.is(server.parts.downloads.active, 0);
});

test('keeps releases, devices, download counts and failures across a restart', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  for (let count = 0; count < 3; count++) t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
  await receiptsNoted(server, '18:FE:34:AA:BB:CC', 3);
  await server.parts.lastSeen.flush();
  const before = (await server.api('GET', '/projects/door/devices')).body;
  const { servedMs } = server.parts.clock.now();
  const next = await server.restart();
  t.true(next.parts.clock.now().servedMs >= servedMs);
  const after = (await next.api('GET', '/projects/door/devices')).body;
  t.deepEqual(after, before);
  t.is((await requestAsDevice(next.port, '/update/door')).status, 304, 'the fourth is not sent');
  const { body } = await next.api('GET', '/projects/door/devices/18:FE:34:AA:BB:CC');
  t.regex(JSON.stringify(body), /"failed"/);
});

test('rejects a second server on the same data folder, and names the process that uses the folder', async (t) => {
  const server = await startTestServer(t);
  const options = { data: server.folder, host: '127.0.0.1', port: 0, log: server.parts.log };
  const error = await expectOtaError(t, 'SERVER_DATA_IN_USE', () => startServer(options));
  t.regex(error.message, new RegExp(`process ${process.pid}`));
});

test('fails with a hint when the port is in use, and unlocks the data folder', async (t) => {
  const server = await startTestServer(t);
  const data = `${server.folder}-2`;
  const options = { data, host: '127.0.0.1', port: server.port, log: server.parts.log };
  await expectOtaError(t, 'SERVER_LISTEN_FAILED', () => startServer(options));
  const other = await startServer({ ...options, port: 0 });
  await other.close(0);
});

test('writes nothing when a device repeats an update check', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const words = { sketchMd5: sketchMd5Of(build.manifest) };
  await requestAsDevice(server.port, '/update/door', words);
  const revision = async () => (await server.parts.store.devices.get('door', '18:FE:34:AA:BB:CC'))?.record.revision;
  const before = await revision();
  for (let count = 0; count < 20; count++)
    t.is((await requestAsDevice(server.port, '/update/door', words)).status, 304);
  t.is(await revision(), before);
});

test('removes old uploads that were never published, and keeps published artifacts', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const orphan = Buffer.from('never published');
  await upload(server.url, orphan, server.token);
  await removeOrphans(server.parts);
  t.like((await server.api('GET', `/uploads/${await digestOf(orphan)}`)).body, { complete: true }, 'it is young');
  await removeOrphans(server.parts, Date.now() + 60_000);
  t.like((await server.api('GET', `/uploads/${await digestOf(orphan)}`)).body, { complete: false, offset: 0 });
  for (const { sha256 } of build.manifest.artifacts) {
    t.like((await server.api('GET', `/uploads/${sha256}`)).body, { complete: true });
  }
});

test('logs once at the start that a firmware file of a current release is missing', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const whole = await server.restart();
  await whole.parts.health.checkFirmware();
  const reports = ({ logged }: Pick<typeof server, 'logged'>) =>
    logged.filter(({ message }) => message.includes('firmware file'));
  t.deepEqual(reports(whole), []);
  const [artifact] = build.manifest.artifacts;
  await whole.parts.blobs.remove(artifact?.sha256 ?? '');
  const restored = await whole.restart();
  await until(() => reports(restored).length > 0);
  await restored.parts.health.problems();
  t.like(reports(restored), [{ level: 'error', fields: { release: 'door 1.0', sha256: artifact?.sha256 } }]);
});

test('does not send an artifact that is corrupt on disk', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const { writeFile } = await import('node:fs/promises');
  for (const { sha256, sizeBytes } of build.manifest.artifacts) {
    await writeFile(`${server.folder}/blobs/${sha256.slice(0, 2)}/${sha256}`, Buffer.alloc(sizeBytes));
  }
  t.is((await requestAsDevice(server.port, '/update/door')).status, 503);
  t.true(server.logged.some(({ level }) => level === 'error'));
  const { body } = await server.api('GET', '/projects/door/devices');
  t.deepEqual(body['devices'], [], 'nothing was counted');
});

test('counts device responses, decisions, downloads and published releases in the metrics', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  await requestAsDevice(server.port, '/update/door');
  await requestAsDevice(server.port, '/update/door', { sketchMd5: sketchMd5Of(build.manifest) });
  await requestAsDevice(server.port, '/update/nothing');
  await until(() => server.parts.downloads.active === 0);
  const response = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${server.token}` } });
  const text = await response.text();
  for (const line of [
    'ota_device_responses_total{status="200"} 1',
    'ota_device_responses_total{status="304"} 1',
    'ota_device_responses_total{status="404"} 1',
    'ota_decisions_total{code="update"} 1',
    'ota_downloads_completed_total 1',
    'ota_publications_total 1',
    'ota_failures_total 0',
  ]) {
    t.true(text.split('\n').includes(line), line);
  }
});

test('redacts secrets in log entries', (t) => {
  const lines: string[] = [];
  const log = pinoLog('info', (line) => lines.push(line));
  log.info(
    { token: 'ota_1_secret', headers: { authorization: 'Bearer secret' }, by: 'abc', a: { password: 'secret' } },
    'x',
  );
  log.info({ password: 'this is a secret' }, 'x');
  log.error({ err: new Error('what happened') }, 'y');
  log.debug({}, 'not at this level');
  t.is(lines.length, 3);
  t.notRegex(lines.join(), /secret"/);
  t.regex(lines.join(), /"by":"abc"/);
  t.regex(lines.join(), /what happened/);
  t.deepEqual(
    lines.map((line) => JSON.parse(line).level),
    ['info', 'info', 'error'],
  );
});

test('logs no line for a download at the default level', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const before = server.logged.length;
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
  await receiptsNoted(server, '18:FE:34:AA:BB:CC', 1);
  const lines = server.logged.slice(before);
  t.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    [['debug', 'Download started']],
  );
});

test('measures the confirmation deadline in served time, not wall-clock time', (t) => {
  const retryPolicy = { confirmWithinMs: 1000, mostSends: 3 };
  const release = {
    id: 1,
    version: '1',
    kind: 'sketch',
    project: 'door',
    board: '',
    purpose: 'serve',
    publishedAt: 0,
  } as const;
  const attempts = afterSend(
    [],
    { ...release, manifest: build.manifest },
    retryPolicy,
    { wallMs: 1e12, servedMs: 500 },
    {
      address: '127.0.0.1',
      authenticated: false,
    },
  );
  t.is(overdue(attempts, { wallMs: 9e12, servedMs: 1400 })[0]?.state, 'sent');
  t.is(overdue(attempts, { wallMs: 0, servedMs: 1501 })[0]?.failure, 'not-confirmed');
  const seen = { mode: 'sketch', running: { by: 'unknown' }, report: { version: undefined } } as const;
  const report = {
    ...seen.report,
    id: 0,
    sketchMd5: undefined,
    sdkVersion: undefined,
    freeSpaceBytes: undefined,
    rejection: undefined,
    facts: {},
  };
  t.is(afterRequest(attempts, { ...seen, report }, retryPolicy, { wallMs: 0, servedMs: 900 })[0]?.state, 'sent');
});

test('reports no device as overdue right after the server starts', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  await requestAsDevice(server.port, '/update/door');
  await failOverdueDevices(server.parts);
  const { body } = await server.api('GET', '/projects/door/devices/18:FE:34:AA:BB:CC');
  t.notRegex(JSON.stringify(body), /failed/);
});

test('ends the overdue attempts of the other devices if one cannot be saved', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const macs = [1, 2, 3].map((index) => `02:00:00:00:00:0${index}`);
  for (const mac of macs) await requestAsDevice(server.port, '/update/door', { mac });
  for (const mac of macs) await receiptsNoted(server, mac, 1);
  const { records, clock } = server.parts;
  const change = records.change.bind(records);
  records.change = async (project, mac, ...more) => {
    if (mac === macs[0]) throw new Error('the record cannot be saved');
    return change(project, mac, ...more);
  };
  const { wallMs, servedMs } = clock.now();
  await failOverdueDevices({
    ...server.parts,
    clock: { ...clock, now: () => ({ wallMs, servedMs: servedMs + 30 * 86_400_000 }) } as typeof clock,
  });
  const states = await Promise.all(macs.map(async (mac) => (await records.find('door', mac))?.attempts[0]?.state));
  t.deepEqual(states, ['received', 'failed', 'failed']);
  t.like(
    server.logged.filter(({ level }) => level === 'error'),
    [{ message: 'Overdue attempt not ended', fields: { mac: macs[0] } }],
  );
});

test('does not count a client that disconnects in the middle of a request as a server error', async (t) => {
  const server = await startTestServer(t);
  const request = `PATCH /api/v1/uploads/${'0'.repeat(64)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\n`;
  const headers = 'Upload-Offset: 0\r\nUpload-Length: 1000\r\nContent-Length: 1000\r\n\r\n';
  const offset = async () => (await server.api('GET', `/uploads/${'0'.repeat(64)}`)).body['offset'];
  const goAway = async (socket: Socket) => {
    await until(async () => (await offset()) === 500);
    socket.resetAndDestroy();
  };
  await sendRaw(server.port, `${request}${headers}${'x'.repeat(500)}`, { during: (socket) => void goAway(socket) });
  await server.close(1000);
  t.is(server.parts.counters.failures, 0, JSON.stringify(server.logged));
});
