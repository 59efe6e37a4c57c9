import test from 'ava';
import { startVirtualDevice, syntheticSketch } from '../../src/simulator/index.ts';
import { StreamReader } from '../../src/simulator/stream-reader.ts';
import { readUploadForm } from '../../src/simulator/upload-form.ts';
import { patienceMs } from '../support/patience.ts';
import { basic, breakOff, endAfter, exchange, fileHeader, formRequest } from './bare-form.ts';
import { holds } from './holds.ts';
import { patientTimings } from './patient-timings.ts';
import { linked, watched } from './stopped-link.ts';

const image = { sizeBytes: 40_000, seed: 1 };
const next = syntheticSketch({ sizeBytes: 50_000, seed: 2 });
const start = (options = {}) => startVirtualDevice({ image, timings: patientTimings, webPort: 0, ...options });
const portOf = (device: { webPort: number | undefined }) => device.webPort ?? 0;

test('installs the file in the "firmware" part, reports success and restarts into it', async (t) => {
  await using device = await start();
  const booted = device.nextEvent(({ event }) => event === 'boot', patienceMs);
  const { text } = await exchange(portOf(device), formRequest(next));
  t.true(text.startsWith('HTTP/1.1 200 OK\r\n'));
  t.true(text.endsWith('Update Success! Rebooting...'));
  await booted;
  t.true(holds(device, next));
});

test('reports an update error with status 200', async (t) => {
  await using device = await start();
  const { text } = await exchange(portOf(device), formRequest(new Uint8Array(5000).fill(7)));
  t.true(text.startsWith('HTTP/1.1 200 OK\r\n'));
  t.true(text.includes('Update error: ERROR[10]: Magic byte is not 0xE9'));
  t.is(device.state.restarts, 0);
});

test('serves the form on GET and requires authentication', async (t) => {
  await using device = await start({ webLogin: { username: 'admin', password: 'secret' } });
  const refused = await exchange(portOf(device), 'GET /update HTTP/1.1\r\nHost: x\r\n\r\n');
  t.true(refused.text.startsWith('HTTP/1.1 401 Unauthorized\r\n'));
  const form = await exchange(portOf(device), `GET /update HTTP/1.1\r\n${basic('admin', 'secret')}\r\n\r\n`);
  t.true(form.text.startsWith('HTTP/1.1 200 OK\r\n'));
  t.true(form.text.includes('name="firmware"') && form.text.includes('name="filesystem"'));
  const elsewhere = await exchange(portOf(device), 'GET / HTTP/1.0\r\n\r\n');
  t.true(elsewhere.text.startsWith('HTTP/1.0 404 Not Found\r\n'));
});

test('responds with 401 to an upload without credentials and does not restart', async (t) => {
  await using device = await start({ webLogin: { username: 'admin', password: 'secret' } });
  const { text } = await exchange(portOf(device), formRequest(next));
  t.true(text.startsWith('HTTP/1.1 401 Unauthorized\r\n'));
  t.is(device.state.restarts, 0);
});

test('responds with 401 to a wrong user or password after receiving the whole form', async (t) => {
  await using device = await start({ webLogin: { username: 'admin', password: 'secret' } });
  for (const login of [basic('admin', 'wrong'), basic('root', 'secret')]) {
    const request = formRequest(next, { login });
    t.is(await endAfter(portOf(device), request.subarray(0, request.length - 20_000)), '');
    const { text } = await exchange(portOf(device), request);
    t.true(text.startsWith('HTTP/1.1 401 Unauthorized\r\n'), text);
  }
  t.is(device.state.restarts, 0);
  const { text } = await exchange(portOf(device), formRequest(next, { login: basic('admin', 'secret') }));
  t.true(text.endsWith('Update Success! Rebooting...'));
});

test('responds with 401 to a form without filename=, even with the right password', async (t) => {
  await using device = await start({ webLogin: { username: 'admin', password: 'secret' } });
  const body = '--xyz\r\nContent-Disposition: form-data; name="firmware"\r\n\r\nabc\r\n--xyz--\r\n';
  const head = `POST /update HTTP/1.1\r\n${basic('admin', 'secret')}\r\nContent-Type: multipart/form-data; boundary=xyz\r\nContent-Length: ${body.length}\r\n\r\n`;
  const { text } = await exchange(portOf(device), head, body);
  t.true(text.startsWith('HTTP/1.1 401 Unauthorized\r\n'));
});

const dropped = {
  'a preamble': { preamble: 'This is a message in several parts.\r\n' },
  'an empty line before the boundary': { preamble: '\r\n' },
  'a second parameter before the boundary': { contentType: 'multipart/form-data; charset=utf-8; boundary=xyz' },
  'a second parameter after the boundary': { contentType: 'multipart/form-data; boundary=xyz; charset=utf-8' },
};

for (const [name, form] of Object.entries(dropped)) {
  test(`resets the connection on ${name}`, async (t) => {
    await using device = await start();
    t.deepEqual(await exchange(portOf(device), formRequest(next, form)), { text: '', ended: 'by reset' });
    t.is(device.state.restarts, 0);
  });
}

test('resets the connection on a chunked body', async (t) => {
  await using device = await start();
  const head =
    'POST /update HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=xyz\r\n\r\n';
  t.deepEqual(await exchange(portOf(device), head, '5\r\n--xyz\r\n0\r\n\r\n'), { text: '', ended: 'by reset' });
});

test('accepts quotes around the boundary', async (t) => {
  await using device = await start();
  const { text } = await exchange(
    portOf(device),
    formRequest(next, { contentType: 'multipart/form-data; boundary="xyz"' }),
  );
  t.true(text.endsWith('Update Success! Rebooting...'));
});

test('adds an empty line to the file when the part has a header besides Content-Type', async (t) => {
  await using device = await start();
  const partHeaders = [fileHeader('firmware'), 'Content-Transfer-Encoding: binary'];
  const { text } = await exchange(portOf(device), formRequest(next, { partHeaders }));
  t.true(text.includes('ERROR[10]'));
});

test('accepts a form without a CRLF after the closing boundary, but only after two timeouts', async (t) => {
  const { device, host, clock, arrived } = await linked(t, { windowBytes: 5840 });
  const body = `--xyz\r\n${fileHeader('firmware')}\r\n\r\ncontent\r\n--xyz--`;
  host.write(body);
  await arrived(body.length);
  const done: string[] = [];
  const sink = {
    start: async (name: string) => void done.push(name),
    write: async (bytes: Uint8Array) => {
      done.push(Buffer.from(bytes).toString());
      return 'on' as const;
    },
    end: async () => void done.push('end'),
    abort: async () => void done.push('abort'),
  };
  const read = watched(readUploadForm(new StreamReader(device, 5000), 'xyz', sink));
  // Lets the reader consume the received bytes.
  await clock.advance(0);
  await clock.advance(5000);
  await clock.advance(4999);
  t.is(read.value, undefined);
  await clock.advance(1);
  t.true(read.value);
  t.deepEqual(done, ['firmware', 'content', 'end']);
});

test('treats content that looks like the start of a boundary as content', async (t) => {
  await using device = await start();
  const tricky = next.slice();
  for (const [index, text] of ['\r', '\r\n', '\r\n-', '\r\n--', '\r\r\n--xy', '\r\n--xyy', '\n--xyz'].entries()) {
    tricky.set(Buffer.from(text), 30_000 + index * 100);
  }
  const restarted = device.nextEvent(({ event }) => event === 'boot' || event === 'bricked', patienceMs);
  await exchange(portOf(device), formRequest(tricky));
  await restarted;
  t.true(holds(device, tricky));
});

test('misses a boundary that starts within a partial match, as the device does', async (t) => {
  await using device = await start();
  const content = Buffer.concat([next, Buffer.from('\r\n--')]);
  const told = device.nextEvent(({ event }) => event === 'update', patienceMs);
  await endAfter(portOf(device), formRequest(content));
  // The partial match and the boundary count as content, so the file ends only with the connection.
  const countBytes = content.length + '\r\n--xyz--'.length;
  t.like(await told, {
    verdict: 'rejected',
    error: `the connection was lost after ${countBytes} bytes of the form's file`,
  });
});

test('stages even a small update directly above the running sketch', async (t) => {
  await using device = await start();
  const small = Uint8Array.from([0xe9, 1, 2, 0x40, ...new Uint8Array(5000)]);
  await exchange(portOf(device), formRequest(small));
  t.true(holds(device, small.subarray(0, 4096), 0xa000 + 0x1000));
});

test('writes the "filesystem" part to the filesystem area', async (t) => {
  await using device = await start();
  const content = new Uint8Array(9000).fill(0x33);
  const { text } = await exchange(portOf(device), formRequest(content, { partHeaders: [fileHeader('filesystem')] }));
  t.true(text.endsWith('Update Success! Rebooting...'));
  t.true(holds(device, content, 0x200000));
});

test('rejects an interrupted upload and accepts the next one', async (t) => {
  await using device = await start();
  const request = formRequest(next);
  const told = device.nextEvent(({ event }) => event === 'update', patienceMs);
  await breakOff(portOf(device), request.subarray(0, request.length - 20_000));
  t.like(await told, { verdict: 'rejected' });
  const { text } = await exchange(portOf(device), request);
  t.true(text.endsWith('Update Success! Rebooting...'));
});
