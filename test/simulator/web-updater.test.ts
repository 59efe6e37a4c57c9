import test from 'ava';
import { startVirtualEsp, syntheticSketch } from '../../src/simulator/index.ts';
import { StreamReader } from '../../src/simulator/stream-reader.ts';
import { readUploadForm } from '../../src/simulator/upload-form.ts';
import { patienceMs } from '../support/patience.ts';
import { basic, breakOff, endAfter, exchange, fileHeader, formRequest } from './bare-form.ts';
import { holds } from './holds.ts';
import { patientTimings } from './patient-timings.ts';
import { linked, watched } from './stopped-link.ts';

const image = { sizeBytes: 40_000, seed: 1 };
const next = syntheticSketch({ sizeBytes: 50_000, seed: 2 });
const start = (options = {}) => startVirtualEsp({ image, timings: patientTimings, webPort: 0, ...options });
const portOf = (esp: { webPort: number | undefined }) => esp.webPort ?? 0;

test('installs the file of the part "firmware", reports success and restarts into it', async (t) => {
  await using esp = await start();
  const booted = esp.nextEvent(({ event }) => event === 'boot', patienceMs);
  const { text } = await exchange(portOf(esp), formRequest(next));
  t.true(text.startsWith('HTTP/1.1 200 OK\r\n'));
  t.true(text.endsWith('Update Success! Rebooting...'));
  await booted;
  t.true(holds(esp, next));
});

test('reports an update error with status 200', async (t) => {
  await using esp = await start();
  const { text } = await exchange(portOf(esp), formRequest(new Uint8Array(5000).fill(7)));
  t.true(text.startsWith('HTTP/1.1 200 OK\r\n'));
  t.true(text.includes('Update error: ERROR[10]: Magic byte is not 0xE9'));
  t.is(esp.state.restarts, 0);
});

test('serves the form on GET, behind the login', async (t) => {
  await using esp = await start({ webLogin: { username: 'admin', password: 'secret' } });
  const refused = await exchange(portOf(esp), 'GET /update HTTP/1.1\r\nHost: x\r\n\r\n');
  t.true(refused.text.startsWith('HTTP/1.1 401 Unauthorized\r\n'));
  const form = await exchange(portOf(esp), `GET /update HTTP/1.1\r\n${basic('admin', 'secret')}\r\n\r\n`);
  t.true(form.text.startsWith('HTTP/1.1 200 OK\r\n'));
  t.true(form.text.includes('name="firmware"') && form.text.includes('name="filesystem"'));
  const elsewhere = await exchange(portOf(esp), 'GET / HTTP/1.0\r\n\r\n');
  t.true(elsewhere.text.startsWith('HTTP/1.0 404 Not Found\r\n'));
});

test('responds 401 to an upload without credentials and does not restart', async (t) => {
  await using esp = await start({ webLogin: { username: 'admin', password: 'secret' } });
  const { text } = await exchange(portOf(esp), formRequest(next));
  t.true(text.startsWith('HTTP/1.1 401 Unauthorized\r\n'));
  t.is(esp.state.restarts, 0);
});

test('responds 401 to a form without filename= even with the right password', async (t) => {
  await using esp = await start({ webLogin: { username: 'admin', password: 'secret' } });
  const body = '--xyz\r\nContent-Disposition: form-data; name="firmware"\r\n\r\nabc\r\n--xyz--\r\n';
  const head = `POST /update HTTP/1.1\r\n${basic('admin', 'secret')}\r\nContent-Type: multipart/form-data; boundary=xyz\r\nContent-Length: ${body.length}\r\n\r\n`;
  const { text } = await exchange(portOf(esp), head, body);
  t.true(text.startsWith('HTTP/1.1 401 Unauthorized\r\n'));
});

const dropped = {
  'a preamble': { preamble: 'This is a message in several parts.\r\n' },
  'an empty line before the boundary': { preamble: '\r\n' },
  'a second parameter before the boundary': { contentType: 'multipart/form-data; charset=utf-8; boundary=xyz' },
  'a second parameter behind the boundary': { contentType: 'multipart/form-data; boundary=xyz; charset=utf-8' },
};

for (const [name, form] of Object.entries(dropped)) {
  test(`resets the connection on ${name}`, async (t) => {
    await using esp = await start();
    t.deepEqual(await exchange(portOf(esp), formRequest(next, form)), { text: '', ended: 'by reset' });
    t.is(esp.state.restarts, 0);
  });
}

test('resets the connection on a chunked body', async (t) => {
  await using esp = await start();
  const head =
    'POST /update HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=xyz\r\n\r\n';
  t.deepEqual(await exchange(portOf(esp), head, '5\r\n--xyz\r\n0\r\n\r\n'), { text: '', ended: 'by reset' });
});

test('accepts quotes around the boundary', async (t) => {
  await using esp = await start();
  const { text } = await exchange(
    portOf(esp),
    formRequest(next, { contentType: 'multipart/form-data; boundary="xyz"' }),
  );
  t.true(text.endsWith('Update Success! Rebooting...'));
});

test('a part header besides Content-Type adds an empty line to the file', async (t) => {
  await using esp = await start();
  const partHeaders = [fileHeader('firmware'), 'Content-Transfer-Encoding: binary'];
  const { text } = await exchange(portOf(esp), formRequest(next, { partHeaders }));
  t.true(text.includes('ERROR[10]'));
});

test('accepts a file without CRLF after the closing boundary, after two timeouts', async (t) => {
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
  // Lets the reader consume what has arrived.
  await clock.advance(0);
  await clock.advance(5000);
  await clock.advance(4999);
  t.is(read.value, undefined);
  await clock.advance(1);
  t.true(read.value);
  t.deepEqual(done, ['firmware', 'content', 'end']);
});

test('treats content that looks like the start of a boundary as content', async (t) => {
  await using esp = await start();
  const tricky = next.slice();
  for (const [index, text] of ['\r', '\r\n', '\r\n-', '\r\n--', '\r\r\n--xy', '\r\n--xyy', '\n--xyz'].entries()) {
    tricky.set(Buffer.from(text), 30_000 + index * 100);
  }
  const restarted = esp.nextEvent(({ event }) => event === 'boot' || event === 'bricked', patienceMs);
  await exchange(portOf(esp), formRequest(tricky));
  await restarted;
  t.true(holds(esp, tricky));
});

test('misses a boundary that begins within a look-alike, as the device does', async (t) => {
  await using esp = await start();
  const content = Buffer.concat([next, Buffer.from('\r\n--')]);
  const told = esp.nextEvent(({ event }) => event === 'update', patienceMs);
  await endAfter(portOf(esp), formRequest(content));
  // Look-alike and boundary count as content; only the end of the connection ends the file.
  const countBytes = content.length + '\r\n--xyz--'.length;
  t.like(await told, {
    verdict: 'rejected',
    error: `the connection was lost after ${countBytes} bytes of the form's file`,
  });
});

test('stages even a small update right above the running sketch', async (t) => {
  await using esp = await start();
  const small = Uint8Array.from([0xe9, 1, 2, 0x40, ...new Uint8Array(5000)]);
  await exchange(portOf(esp), formRequest(small));
  t.true(holds(esp, small.subarray(0, 4096), 0xa000 + 0x1000));
});

test('writes the part "filesystem" to the filesystem area', async (t) => {
  await using esp = await start();
  const content = new Uint8Array(9000).fill(0x33);
  const { text } = await exchange(portOf(esp), formRequest(content, { partHeaders: [fileHeader('filesystem')] }));
  t.true(text.endsWith('Update Success! Rebooting...'));
  t.true(holds(esp, content, 0x200000));
});

test('rejects an interrupted upload and accepts the next one', async (t) => {
  await using esp = await start();
  const request = formRequest(next);
  const told = esp.nextEvent(({ event }) => event === 'update', patienceMs);
  await breakOff(portOf(esp), request.subarray(0, request.length - 20_000));
  t.like(await told, { verdict: 'rejected' });
  const { text } = await exchange(portOf(esp), request);
  t.true(text.endsWith('Update Success! Rebooting...'));
});
