import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { VirtualDeviceOptions } from '../../../src/simulator/options.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { freePort } from '../../support/free-port.ts';
import { endlessMs, patienceMs } from '../../support/patience.ts';
import { newSketch, quickDevice, sendByWeb, verdictsOf } from '../quick.ts';

const password = 'hunter2-of-the-door';
const webLogin = { username: 'admin', password };

function webDevice(t: ExecutionContext, options: VirtualDeviceOptions = {}) {
  return quickDevice(t, { webPort: 0, ...options });
}

/** Starts a server that sends one of these responses per connection, in order, and then repeats the last. */
async function serverOf(t: ExecutionContext, ...responses: readonly string[]) {
  const left = [...responses];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const response = (left.length > 1 ? left.shift() : left[0]) ?? '';
    socket.once('data', () => socket.end(response));
    t.teardown(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  return { host: '127.0.0.1', webPort: address === null || typeof address === 'string' ? 0 : address.port };
}

test('reports an accepted web upload, and the device runs the image', async (t) => {
  const device = await webDevice(t);
  const booted = device.nextEvent(({ event }) => event === 'boot', patienceMs);
  const { verdict, progress } = await sendByWeb(device);
  t.deepEqual(verdict, { kind: 'accepted' });
  t.is(progress.at(-1)?.transferredBytes, newSketch.length);
  await booted;
  t.is(Buffer.from(device.readFlash(0, newSketch.length)).compare(newSketch), 0);
});

test('delivers an image unchanged even if it contains line breaks and boundary-like text', async (t) => {
  const device = await webDevice(t, { layout: { fsStart: 0x200000, fsEnd: 0x204000 }, atomicFs: false });
  const traps = [
    '\r\n',
    '\r',
    '\n',
    '\r\n-',
    '\r\n--',
    '\r\n--ota-hooks-',
    '--',
    '\r\r\n',
    '\r\n--ota-hooks-0123456789ab\r',
  ];
  const filesystem = Buffer.alloc(0x4000, traps.join('x'), 'latin1');
  filesystem.write('\r', filesystem.length - 1);
  const booted = device.nextEvent(({ event }) => event === 'boot', patienceMs);
  const { verdict } = await sendByWeb(device, { image: filesystem, kind: 'filesystem' });
  t.is(verdict.kind, 'accepted', JSON.stringify(verdict));
  await booted;
  t.is(Buffer.from(device.readFlash(0x200000, filesystem.length)).compare(filesystem), 0);
});

test('uploads with the configured user, password and path', async (t) => {
  const device = await webDevice(t, { webLogin: { username: 'root', password }, webPath: '/firmware' });
  const { verdict } = await sendByWeb(device, { password, user: 'root', path: '/firmware' });
  t.is(verdict.kind, 'accepted');
});

test('reports a wrong or missing password before sending the image', async (t) => {
  for (const given of ['another', undefined]) {
    const device = await webDevice(t, { webLogin });
    const { verdict, progress } = await sendByWeb(device, given === undefined ? {} : { password: given });
    t.like(verdict, { kind: 'rejected', by: 'password' });
    t.is(progress.at(-1)?.transferredBytes, 0);
    t.deepEqual(verdictsOf(device), []);
    await device.close();
  }
});

test('reports a 401 response after the whole image as a wrong password', async (t) => {
  const page = 'HTTP/1.1 200 OK\r\n\r\n<form><input name="firmware"></form>';
  const server = await serverOf(t, page, 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
  t.like((await sendByWeb(server, { password })).verdict, { kind: 'rejected', by: 'password' });
});

test('recognizes an update error in a 200 response', async (t) => {
  const device = await webDevice(t);
  const { verdict } = await sendByWeb(device, { image: new Uint8Array(20_000).fill(0x02) });
  t.deepEqual(verdict, { kind: 'rejected', by: 'updater', reason: 'ERROR[10]: Magic byte is not 0xE9', code: 10 });
  t.deepEqual(verdictsOf(device), ['rejected']);
});

test('reports "unknown" when the response states neither success nor failure', async (t) => {
  for (const text of ['Update failed?', 'OK', '', 'Update Success']) {
    const device = await webDevice(t, { faults: { verdict: { text } } });
    const { verdict } = await sendByWeb(device);
    t.like(verdict, { kind: 'unknown', mayHaveUpdated: true }, text);
    await device.close();
  }
});

test('reports "unknown" when the device sends no response', async (t) => {
  const device = await webDevice(t, { faults: { verdict: 'none' } });
  const { verdict } = await sendByWeb(device);
  t.like(verdict, { kind: 'unknown', mayHaveUpdated: true });
});

test('reports a protocol mismatch for a path without an updater', async (t) => {
  const device = await webDevice(t);
  const { verdict } = await sendByWeb(device, { path: '/upgrade' });
  t.like(verdict, { kind: 'wrongProtocol', which: 'noWebUpdater' });
});

test('reports a protocol mismatch for a server that does not use HTTP', async (t) => {
  const { verdict } = await sendByWeb(await serverOf(t, 'SSH-2.0-dropbear\r\n'));
  t.deepEqual(verdict, { kind: 'wrongProtocol', which: 'noWebUpdater', received: 'SSH-2.0-dropbear' });
});

test('sends no filesystem image to an updater that would install the image as a sketch', async (t) => {
  const old = await serverOf(t, 'HTTP/1.1 200 OK\r\n\r\n<form><input type="file" name="update"></form>');
  const { verdict } = await sendByWeb(old, { kind: 'filesystem' });
  t.deepEqual(verdict, { kind: 'wrongProtocol', which: 'noFilesystemForm', received: undefined });
});

test('rejects a path that is not a valid request target', async (t) => {
  for (const path of ['update', '/update HTTP/1.1\r\nX: y', '/a b']) {
    const error = await expectOtaError(t, 'UPDATE_PATH_INVALID', () =>
      sendByWeb({ host: '127.0.0.1', webPort: 9 }, { path }),
    );
    t.notRegex(error.message, /\r/);
  }
});

test('reports a closed port as unreachable', async (t) => {
  const { verdict } = await sendByWeb({ host: '127.0.0.1', webPort: await freePort() });
  t.true(verdict.kind === 'unreachable' && verdict.reason.includes('ECONNREFUSED'), JSON.stringify(verdict));
});

test('reports a port that never responds as unreachable', async (t) => {
  const silent = createServer((socket) => t.teardown(() => socket.destroy()));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => silent.close());
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const place = { host: '127.0.0.1', webPort: address.port };
  const { verdict } = await sendByWeb(place, { timings: { stallMs: 100 } });
  t.is(verdict.kind, 'unreachable');
});

for (const what of ['reset', 'end', 'half-open'] as const) {
  for (const at of [0, 0.5, 0.99, 1] as const) {
    test(`reports a correct verdict after a connection fault: ${what} at ${at * 100}%`, async (t) => {
      const device = await webDevice(t, { faults: { transfer: { what, at }, uploads: 1 } });
      // A half-open connection is detected only by the stall timeout; the other faults end the attempt by themselves.
      const { verdict } = await sendByWeb(device, what === 'half-open' ? { timings: { stallMs: 1500 } } : {});
      const isStaged = verdictsOf(device).includes('accepted');
      t.true(verdict.kind === 'accepted' ? isStaged : verdict.kind === 'unknown', JSON.stringify(verdict));
    });
  }
}

test('continues a web upload after a stall that is shorter than the stall timeout', async (t) => {
  const device = await webDevice(t, { faults: { transfer: { what: 'stall', at: 0.5, stallMs: 200 } } });
  t.is((await sendByWeb(device)).verdict.kind, 'accepted');
});

test('rejects with the abort reason', async (t) => {
  const device = await webDevice(t, { faults: { transfer: { what: 'stall', at: 0.1, stallMs: endlessMs } } });
  const abort = new AbortController();
  const sending = sendByWeb(device, {
    signal: abort.signal,
    onProgress: ({ phase }) => {
      if (phase === 'sending') setTimeout(() => abort.abort(new Error('Ctrl-C')), 20);
    },
  });
  await t.throwsAsync(sending, { message: 'Ctrl-C' });
});

test('keeps the password out of verdicts and progress, plain or encoded', async (t) => {
  const encoded = Buffer.from(`admin:${password}`).toString('base64');
  const echo = `HTTP/1.1 500 Oops\r\n\r\nyou are ${password}, or ${encoded}`;
  const page = 'HTTP/1.1 200 OK\r\n\r\n<form><input name="firmware"></form>';
  for (const server of [await serverOf(t, page, echo), await serverOf(t, `hello ${encoded} ${password}`)]) {
    const sent = JSON.stringify(await sendByWeb(server, { password }));
    t.false(sent.includes(password) || sent.includes(encoded), sent);
  }
});
