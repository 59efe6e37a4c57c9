import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { deviceTimings, startVirtualEsp, syntheticSketch, type VirtualEsp } from '../../src/simulator/index.ts';
import type { VirtualEspOptions } from '../../src/simulator/options.ts';
import { endlessMs, patienceMs } from '../support/patience.ts';
import { afterwards, bareHost, bareUpload, md5 } from './bare-host.ts';
import { holds } from './holds.ts';
import { patientTimings } from './patient-timings.ts';

const image = { sizeBytes: 40_000, seed: 1 };
const next = syntheticSketch({ sizeBytes: 50_000, seed: 2 });
const start = (options: VirtualEspOptions = {}) => startVirtualEsp({ image, timings: patientTimings, ...options });
const cnonce = md5('anything');

test('an upload is acknowledged in bare decimals, ends with OK, and the device runs the new sketch', async (t) => {
  await using esp = await start();
  const before = esp.state.sketchMd5;
  const booted = afterwards(esp);
  const { datagram, text, how } = await bareUpload(t, esp, next);
  t.is(datagram, 'OK');
  t.regex(text, /^\d+OK$/);
  t.is(how, 'in order');
  t.like(await booted, { event: 'boot', sketchMd5: md5(next) });
  t.not(esp.state.sketchMd5, before);
  t.true(holds(esp, next));
});

test('each piece is acknowledged with its length, and the acknowledgements are glued together', async (t) => {
  await using esp = await start();
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  call.socket.write(next.subarray(0, 1460));
  await call.reads(/^1460$/);
  call.socket.write(next.subarray(1460, 2000));
  await call.reads(/^1460540$/);
  call.socket.write(next.subarray(2000));
  t.regex((await call.ended()).text, /^1460540\d+OK$/);
});

test('what the Updater refuses follows the last acknowledgement at once, and the device goes on as it was', async (t) => {
  await using esp = await start();
  const told = esp.nextEvent(({ event }) => event === 'update', patienceMs);
  const { text } = await bareUpload(t, esp, new Uint8Array(1000).fill(0x02));
  t.regex(text, /^\d+ERROR\[10\]: Magic byte is not 0xE9\n$/);
  t.like(await told, { transport: 'espota', verdict: 'rejected', error: 'ERROR[10]: Magic byte is not 0xE9' });
  t.like(esp.state, { phase: 'running', restarts: 0 });
});

test('the words of an older core are its own', async (t) => {
  await using esp = await start({ core: '2.7.4' });
  const { text } = await bareUpload(t, esp, new Uint8Array(1000).fill(0x02));
  t.regex(text, /^\d+ERROR\[10\]: Magic byte is wrong, not 0xE9\r\n$/);
});

test('what does not fit is refused in the answer to the invitation, and the next invitation is heard', async (t) => {
  await using esp = await start();
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} 3000000 ${md5('x')}\n`);
  t.is(await host.heard(), 'ERR: ERROR[4]: Not Enough Space\n');

  t.is((await bareUpload(t, esp, next)).datagram, 'OK');
});

test('a wrong MD5 is found when all has come', async (t) => {
  await using esp = await start();
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5('another')}\n`);
  const call = await host.called();
  call.socket.write(next);
  const expected = `ERROR\\[7\\]: MD5 verification failed: expected: ${md5('another')}, calculated: ${md5(next)}\\n$`;
  t.regex((await call.ended()).text, new RegExp(expected));
});

test('with a password it asks for an answer to its nonce', async (t) => {
  await using esp = await start({ password: 'secret' });
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const [, nonce] = /^AUTH ([0-9a-f]{32})$/.exec(await host.heard()) ?? [];
  host.send(`200 ${cnonce} ${md5(`${md5('secret')}:${nonce}:${cnonce}`)}\n`);
  t.is(await host.heard(), 'OK');
  const call = await host.called();
  call.socket.write(next);
  t.regex((await call.ended()).text, /OK$/);
});

test('after a wrong password it is idle again, and the next nonce is another one', async (t) => {
  await using esp = await start({ password: 'secret' });
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const first = await host.heard();
  host.send(`200 ${cnonce} ${md5('wrong')}\n`);
  t.is(await host.heard(), 'Authentication Failed');
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const second = await host.heard();
  t.regex(second, /^AUTH /);
  t.not(second, first);
});

test('while it waits for the answer, a repeated invitation cancels it without a word', async (t) => {
  await using esp = await start({ password: 'secret' });
  const host = await bareHost(t, esp);
  const invitation = `0 ${host.port} ${next.length} ${md5(next)}\n`;
  host.send(invitation);
  const [, nonce] = /^AUTH (.*)$/.exec(await host.heard()) ?? [];
  host.send(invitation);
  host.send(`200 ${cnonce} ${md5(`${md5('secret')}:${nonce}:${cnonce}`)}\n`);
  t.true(await host.isSilent());
  host.send(invitation);
  t.regex(await host.heard(), /^AUTH /);
});

test('an answer of another length than 32 ends the waiting, too', async (t) => {
  await using esp = await start({ password: 'secret' });
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  await host.heard();
  host.send(`200 ${cnonce}${cnonce} ${'a'.repeat(64)}\n`);
  t.true(await host.isSilent());
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  t.regex(await host.heard(), /^AUTH /);
});

test('while an upload runs, invitations are dropped', async (t) => {
  await using esp = await start();
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  call.socket.write(next.subarray(0, 100));
  await call.reads(/^100$/);
  const other = await bareHost(t, esp);
  other.send(`0 ${other.port} ${next.length} ${md5(next)}\n`);
  t.true(await other.isSilent());
  call.socket.write(next.subarray(100));
  t.regex((await call.ended()).text, /OK$/);
});

test('a device is deaf during the pause after a broken upload', async (t) => {
  await using esp = await start({ timings: { ...patientTimings, brokenPauseMs: endlessMs } });
  const host = await brokenUpload(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  t.true(await host.isSilent());
});

test('a device answers as before after the pause that follows a broken upload', async (t) => {
  await using esp = await start();
  const told = esp.nextEvent(({ event }) => event === 'update', patienceMs);
  const host = await brokenUpload(t, esp);
  t.like(await told, { verdict: 'rejected', error: `the connection was lost after 100 of ${next.length} bytes` });
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  t.is(await host.heard(), 'OK');
});

/** Has an upload end after 100 bytes, and resolves when the device has noticed. Another invitation came while it ran. */
async function brokenUpload(t: ExecutionContext, esp: VirtualEsp) {
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  t.is(await host.heard(), 'OK');
  call.socket.write(next.subarray(0, 100));
  await call.reads(/^100$/);
  // Too large to be accepted: an answer to it, however late, would be an error.
  host.send(`0 ${host.port} 3000000 ${md5('x')}\n`);
  t.true(await host.isSilent());
  call.socket.end();
  t.is((await call.ended()).how, 'by reset');
  return host;
}

test('a host that closes behind its last byte updates the device, and hears no OK', async (t) => {
  // The pause of a real device: the end of the connection is here long before its verdict.
  await using esp = await start({ timings: { ...patientTimings, verdictPauseMs: deviceTimings.verdictPauseMs } });
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  const booted = afterwards(esp);
  call.socket.end(next);
  t.false((await call.ended()).text.includes('OK'));
  t.like(await booted, { event: 'boot', sketchMd5: md5(next) });
});

test('it reads no more than was announced', async (t) => {
  await using esp = await start();
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  const booted = afterwards(esp);
  call.socket.write(next);
  call.socket.write('more');
  const { text } = await call.ended();
  t.regex(text, /OK$/);
  await booted;
  t.true(holds(esp, next));
});

test('a filesystem goes to its place', async (t) => {
  await using esp = await start();
  const content = new Uint8Array(10_000).fill(0x17);
  const { text } = await bareUpload(t, esp, content, 100);
  t.regex(text, /OK$/);
  t.true(holds(esp, content, 0x200000));
});

test('a filesystem upload that breaks off has spoilt the old one already', async (t) => {
  await using esp = await start();
  const host = await bareHost(t, esp);
  const content = new Uint8Array(10_000).fill(0x17);
  host.send(`100 ${host.port} ${content.length} ${md5(content)}\n`);
  const call = await host.called();
  const told = esp.nextEvent(({ event }) => event === 'update', patienceMs);
  call.socket.write(content.subarray(0, 9000));
  await call.reads(/3160$/);
  call.socket.resetAndDestroy();
  await told;
  t.true(holds(esp, content.subarray(0, 8192), 0x200000));
});

test('it does not care how long the host takes', async (t) => {
  const momentMs = 1;
  const timings = { webReadTimeoutMs: momentMs, httpHeaderTimeoutMs: momentMs, httpBodyTimeoutMs: momentMs };
  await using esp = await start({ timings: { ...patientTimings, ...timings } });
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  call.socket.write(next.subarray(0, 100));
  await call.reads(/^100$/);
  // Longer than each of its time-outs, and no matter how much longer.
  await pause(20 * momentMs);
  t.is(call.text(), '100');
  t.deepEqual(
    esp.events.past.map(({ event }) => event),
    ['ready'],
  );
  call.socket.write(next.subarray(100));
  t.regex((await call.ended()).text, /OK$/);
});

test('a device that restarts hears nothing', async (t) => {
  await using esp = await start({ timings: { ...patientTimings, restartMs: 3_600_000 } });
  const host = await bareHost(t, esp);
  esp.powerCycle();
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  t.true(await host.isSilent());
});

test('a device that restarted is back on the same port', async (t) => {
  await using esp = await start({ timings: patientTimings });
  const port = esp.otaPort;
  const booted = afterwards(esp);
  esp.powerCycle();
  await booted;
  t.is(esp.otaPort, port);
  t.is((await bareUpload(t, esp, next)).datagram, 'OK');
});

test('a device that is closed is gone, whatever was under way', async (t) => {
  const esp = await start();
  const host = await bareHost(t, esp);
  host.send(`0 ${host.port} ${next.length} ${md5(next)}\n`);
  const call = await host.called();
  call.socket.write(next.subarray(0, 100));
  await call.reads(/^100$/);
  await esp.close();
  await call.ended();
  t.is(esp.state.phase, 'closed');
  await esp.close();
});
