import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import forge from 'node-forge';
import { startVirtualDevice, syntheticSketch, type Timings } from '../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { endlessMs, patienceMs } from '../support/patience.ts';
import { afterwards, md5 } from './bare-host.ts';
import { bareServer, response, type ScriptedResponse, update } from './bare-server.ts';
import { holds } from './holds.ts';
import { patientTimings } from './patient-timings.ts';

const image = { sizeBytes: 40_000, seed: 1 };
const next = syntheticSketch({ sizeBytes: 50_000, seed: 2 });
const nothingNew = response('304 Not Modified', []);
const start = (updateUrl: string, options: VirtualDeviceOptions = {}) =>
  startVirtualDevice({ image, timings: patientTimings, updateUrl, updateIntervalMs: 20, ...options });

/** Returns the device's result for a response: the error message, `accepted` or `checked`. */
async function verdictOn(
  t: Parameters<typeof bareServer>[0],
  given: ScriptedResponse,
  options: VirtualDeviceOptions = {},
) {
  const server = await bareServer(t, given, nothingNew);
  await using device = await start(server.url, options);
  const event = await device.nextEvent(({ event: name }) => name === 'update' || name === 'checked', patienceMs);
  return event.event === 'update' ? (event.error ?? 'accepted') : event.event;
}

test('sends the device facts in an HTTP/1.0 request that closes the connection', async (t) => {
  const server = await bareServer(t, nothingNew);
  await using device = await start(server.url, { mac: '5C:CF:7F:01:02:03' });
  t.like(await device.nextEvent(({ event }) => event === 'checked', patienceMs), { status: 304 });
  t.deepEqual(server.requests[0]?.split('\r\n'), [
    'GET /update HTTP/1.0',
    `Host: 127.0.0.1:${server.port}`,
    'User-Agent: ESP8266-http-Update',
    'Connection: close',
    'x-ESP8266-Chip-ID: 66051',
    'x-ESP8266-STA-MAC: 5C:CF:7F:01:02:03',
    'x-ESP8266-AP-MAC: 5E:CF:7F:01:02:03',
    `x-ESP8266-free-space: ${0x200000 - 0xa000}`,
    'x-ESP8266-sketch-size: 40000',
    `x-ESP8266-sketch-md5: ${device.state.sketchMd5}`,
    'x-ESP8266-chip-size: 4194304',
    'x-ESP8266-sdk-version: 2.2.2-dev(38a443e)',
    'x-ESP8266-mode: sketch',
    'Content-Length: 0',
    '',
    '',
  ]);
});

test('sends its version and the credentials from the URL but no chip ID before core 2.6.0', async (t) => {
  const server = await bareServer(t, nothingNew);
  const url = server.url.replace('http://', 'http://door:s%20cret@');
  await using device = await start(url, { version: '1.2', core: '2.5.2', updateMode: 'filesystem' });
  await device.nextEvent(({ event }) => event === 'checked', patienceMs);
  const request = server.requests[0] ?? '';
  t.true(request.includes('\r\nx-ESP8266-version: 1.2\r\n'));
  t.true(request.includes('\r\nx-ESP8266-mode: spiffs\r\n'));
  t.true(request.includes(`\r\nAuthorization: Basic ${Buffer.from('door:s cret').toString('base64')}\r\n`));
  t.false(request.includes('Chip-ID'));
});

test('updates, restarts and checks again with the new version and MD5', async (t) => {
  for (const bytes of [next, gzipSync(next)]) {
    const server = await bareServer(t, update(bytes, `x-MD5: ${md5(bytes)}`), nothingNew);
    await using device = await start(server.url, { next: { version: '2' } });
    t.like(await afterwards(device), { event: 'boot', sketchMd5: md5(next) });
    await device.nextEvent(({ event }) => event === 'checked', patienceMs);
    t.true(server.requests[1]?.includes(`x-ESP8266-sketch-md5: ${md5(next)}\r\n`));
    t.true(server.requests[1]?.includes('x-ESP8266-version: 2\r\n'));
    t.true(holds(device, next));
  }
});

test('limits an offline or not-installed fault to the configured version', async (t) => {
  const image2 = update(next, `x-MD5: ${md5(next)}`, 'x-version: 2.0');
  const outcome = async (faults: VirtualDeviceOptions['faults']) => {
    const server = await bareServer(t, image2, nothingNew);
    await using device = await start(server.url, { faults });
    const event = await afterwards(device);
    return event.event === 'bricked' ? event.reason : holds(device, next) ? 'new' : device.state.phase;
  };
  t.is(await outcome({ offline: { share: 1 } }), 'injected-fault');
  t.is(await outcome({ offline: { share: 1, version: '2.0' } }), 'injected-fault');
  t.is(await outcome({ offline: { share: 1, version: '3.0' } }), 'new');
  t.is(await outcome({ notInstalled: { share: 1 } }), 'running');
  t.is(await outcome({ offline: { share: 0 }, notInstalled: { share: 0 } }), 'new');
});

test('disconnects about the configured share of devices and selects the same devices for the same seeds', async (t) => {
  const lost = async () => {
    const server = await bareServer(t, update(next));
    const runs = Array.from({ length: 40 }, async (_, seed) => {
      await using device = await start(server.url, { seed, faults: { offline: { share: 0.25 } } });
      return (await afterwards(device)).event === 'bricked' ? [seed] : [];
    });
    return (await Promise.all(runs)).flat();
  };
  const first = await lost();
  t.true(first.length > 4 && first.length < 17, `${first.length} of 40`);
  t.deepEqual(await lost(), first);
});

test('writes a filesystem image to the filesystem area without a restart', async (t) => {
  const content = new Uint8Array(9000).fill(0x21);
  const server = await bareServer(t, update(content), nothingNew);
  await using device = await start(server.url, { updateMode: 'filesystem' });
  await device.nextEvent(({ event }) => event === 'checked', patienceMs);
  t.true(holds(device, content, 0x200000));
  t.is(device.state.restarts, 0);
});

const tooLarge = new Uint8Array(100);
const refusals: Record<string, readonly [ScriptedResponse, string, Partial<Timings>?]> = {
  'no Content-Length': [response('200 OK', [], next), 'Server Did Not Report Size'],
  'a chunked body': [
    response('200 OK', ['Transfer-Encoding: chunked'], 'c350\r\n', next, '\r\n0\r\n\r\n'),
    'Server Did Not Report Size',
  ],
  'an unsupported encoding': [
    response('200 OK', ['Transfer-Encoding: identity', `Content-Length: ${next.length}`], next),
    'HTTP error: Transfer-Encoding not supported',
  ],
  'an update larger than the free space': [
    response('200 OK', ['Content-Length: 3000000'], tooLarge),
    'Not Enough space',
  ],
  'a size that exceeds the integer range': [
    response('200 OK', ['Content-Length: 99999999999'], tooLarge),
    'Not Enough space',
  ],
  'a file that is not firmware': [update(new Uint8Array(1000).fill(2)), 'Verify Bin Header Failed'],
  'an update smaller than a header': [update(new Uint8Array([0xe9, 1])), 'Verify Bin Header Failed'],
  'a flash size that the chip does not have': [
    update(syntheticSketch({ sizeBytes: 50_000, flashSizeBytes: 16 * 1024 * 1024 })),
    'New Binary Does Not Fit Flash Size',
  ],
  'a quoted MD5': [update(next, `x-MD5: "${md5(next)}"`), 'Wrong MD5'],
  'two MD5s': [update(next, `x-MD5: ${md5(next)}`, `X-Md5: ${md5(next)}`), 'Wrong MD5'],
  'the MD5 of a different file': [
    update(next, `x-MD5: ${md5('else')}`),
    `Update error: ERROR[7]: MD5 verification failed: expected: ${md5('else')}, calculated: ${md5(next)}`,
  ],
  'status 401': [response('401 Unauthorized', []), 'Unauthorized (401)'],
  'status 403': [response('403 Forbidden', []), 'Forbidden (403)'],
  'status 404': [response('404 Not Found', []), 'File Not Found (404)'],
  'status 500': [response('500 Oops', []), 'Wrong HTTP Code'],
  'a redirect': [response('302 Found', ['Location: /elsewhere']), 'Wrong HTTP Code'],
  'a response that is not HTTP': [{ pieces: ['220 smtp\r\n\r\n'], finally: 'end' }, 'HTTP error: no HTTP server'],
  'a connection that ends within the header': [
    { pieces: ['HTTP/1.1 200 OK\r\n'], finally: 'end' },
    'HTTP error: connection lost',
  ],
  'a header that never arrives': [
    { pieces: [], finally: 'stay' },
    'HTTP error: read Timeout',
    { httpHeaderTimeoutMs: 100 },
  ],
  'a truncated body': [
    { pieces: [`HTTP/1.1 200 OK\r\nContent-Length: ${next.length}\r\n\r\n`, next.subarray(0, 900)], finally: 'end' },
    'Update error: ERROR[6]: Stream Read Timeout',
    { httpBodyTimeoutMs: 100 },
  ],
  'a body that stalls': [
    { pieces: [`HTTP/1.1 200 OK\r\nContent-Length: ${next.length}\r\n\r\n`, next.subarray(0, 900)], finally: 'stay' },
    'Update error: ERROR[6]: Stream Read Timeout',
    { httpBodyTimeoutMs: 100 },
  ],
};

for (const [name, [given, words, timings]] of Object.entries(refusals)) {
  test(`reports "${words.slice(0, 60)}" for ${name}`, async (t) => {
    t.is(await verdictOn(t, given, { timings: { ...patientTimings, ...timings } }), words);
  });
}

test('reports a failed connection when no server listens', async (t) => {
  await using device = await start('http://127.0.0.1:9/update');
  t.like(await device.nextEvent(({ event }) => event === 'update', patienceMs), {
    error: 'HTTP error: connection failed',
  });
});

test('rejects gzip on a core before 2.7.0', async (t) => {
  t.is(await verdictOn(t, update(gzipSync(next)), { core: '2.6.3' }), 'Verify Bin Header Failed');
});

test('follows redirects when enabled, without the headers added to the first request', async (t) => {
  for (const status of ['301 A', '302 B', '303 C', '307 D']) {
    const server = await bareServer(t, response(status, ['Location: /elsewhere?a=b']), nothingNew);
    await using device = await start(server.url, { followsRedirects: true });
    await device.nextEvent(({ event }) => event === 'checked', patienceMs);
    t.true(server.requests[1]?.startsWith('GET /elsewhere?a=b HTTP/1.0\r\n'));
    t.false(server.requests[1]?.includes('x-ESP8266'));
  }
});

test('follows a redirect to a different server and rejects a different protocol', async (t) => {
  const target = await bareServer(t, nothingNew);
  const first = await bareServer(t, response('302 Found', [`Location: ${target.url}`]));
  await using device = await start(first.url, { followsRedirects: true, updateIntervalMs: endlessMs });
  await device.nextEvent(({ event }) => event === 'checked', patienceMs);
  t.is(target.requests.length, 1);
  t.is(
    await verdictOn(t, response('302 Found', ['Location: https://127.0.0.1/']), { followsRedirects: true }),
    'Wrong HTTP Code',
  );
});

test('stops after ten redirects', async (t) => {
  const server = await bareServer(t, response('302 Found', ['Location: /again']));
  await using device = await start(server.url, { followsRedirects: true, updateIntervalMs: endlessMs });
  t.like(await device.nextEvent(({ event }) => event === 'update', patienceMs), { error: 'Wrong HTTP Code' });
  t.is(server.requests.length, 11);
});

test('requires x-version in the response to a version check and treats 304 as an error', async (t) => {
  const options = { updateMode: 'version' as const };
  t.is(await verdictOn(t, response('200 OK', ['x-version: 3', 'Content-Length: 0']), options), 'checked');
  t.is(await verdictOn(t, response('200 OK', ['Content-Length: 0']), options), 'Server Did Not Report Version');
  t.is(await verdictOn(t, nothingNew, options), 'Wrong HTTP Code');
});

test('trusts only the configured certificate over HTTPS, or any certificate when none is configured', async (t) => {
  const { privateKey, certificate } = selfSigned();
  const server = createServer({ key: privateKey, cert: certificate }, (_, response) => response.writeHead(304).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (const ca of [certificate, undefined]) {
    await using device = await start(url, { ca });
    await device.nextEvent(({ event }) => event === 'checked', patienceMs);
  }
  await using distrustful = await start(url, { ca: selfSigned().certificate });
  const event = await distrustful.nextEvent(({ event: name }) => name === 'update', patienceMs);
  t.like(event, { error: 'HTTP error: connection failed' });
});

/** Creates a self-signed certificate for 127.0.0.1. */
function selfSigned(): { readonly privateKey: string; readonly certificate: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.validity.notBefore = new Date(Date.now() - 86_400_000);
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
  const names = [{ name: 'commonName', value: '127.0.0.1' }];
  certificate.setSubject(names);
  certificate.setIssuer(names);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true },
    { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  return { privateKey, certificate: forge.pki.certificateToPem(certificate) };
}
