import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import test, { type ExecutionContext } from 'ava';
import type { DeliveryTimings } from '../../../src/delivery/timings.ts';
import type { DeliveryVerdict } from '../../../src/delivery/verdict.ts';
import { syntheticSketch, type TransferFault } from '../../../src/simulator/index.ts';
import { freePort } from '../../support/free-port.ts';
import { endlessMs } from '../../support/patience.ts';
import { quickDevice, repeating, repeatingSlowly, send, verdictsOf } from '../quick.ts';

const password = 'hunter2-of-the-door';

for (const lost of [1, 2, 3, 4]) {
  test(`uploads even if datagrams are lost at the start (${lost})`, async (t) => {
    const device = await quickDevice(t, { password, faults: { udp: { loseFirst: lost } } });
    const { verdict } = await send(device, { password, timings: repeatingSlowly });
    t.is(verdict.kind, 'accepted');
  });

  test(`uploads even if datagrams from the device are lost at the start (${lost})`, async (t) => {
    for (const word of [undefined, password]) {
      const faults = { udp: { loseFirst: lost, direction: 'from-device' as const } };
      const device = await quickDevice(t, { faults, ...(word === undefined ? {} : { password: word }) });
      const { verdict } = await send(device, { password, timings: repeatingSlowly });
      t.is(verdict.kind, 'accepted', JSON.stringify(verdict));
    }
  });
}

test('uploads even if datagrams are duplicated and reordered', async (t) => {
  const udp = { duplicateShare: 0.4, reorderShare: 0.4 };
  const seeds = Array.from({ length: 12 }, (_, index) => index + 1);
  await Promise.all(
    seeds.map(async (seed) => {
      const device = await quickDevice(t, { password, seed, faults: { udp } });
      const { verdict } = await send(device, { password, timings: repeatingSlowly });
      t.is(verdict.kind, 'accepted', `seed ${seed}: ${JSON.stringify(verdict)}`);
    }),
  );
});

test('reports "unreachable" when duplicate datagrams keep canceling the authentication', async (t) => {
  const device = await quickDevice(t, { password, faults: { udp: { duplicateShare: 1 } } });
  const timings = { invitationIntervalMs: 50, authenticationMs: 200, retryBudgetMs: 1000 };
  const { verdict } = await send(device, { password, timings });
  t.true(verdict.kind === 'unreachable' && /password/.test(verdict.reason), JSON.stringify(verdict));
});

test('waits for responses that arrive after the invitation interval', async (t) => {
  // The interval between invitations grows from 150 ms to 600 ms.
  const device = await quickDevice(t, { password, link: { rttMs: 200, windowBytes: 64 * 1024 } });
  const { verdict } = await send(device, { password, timings: { ...repeatingSlowly, invitationIntervalMs: 150 } });
  t.is(verdict.kind, 'accepted');
});

test('sends no invitation while an authentication is running', async (t) => {
  const { device, heard } = await challengingDevice(t);
  const sent = await send(device, { password, timings: { invitationIntervalMs: 20 } });
  t.is(sent.verdict.kind, 'rejected');
  t.regex(heard(), /^i+a{5,}$/, 'invitations until the challenge comes, then responses only');
});

/** Sends a challenge for each invitation, ignores the first four responses to the challenge, and answers the fifth with an error. */
async function challengingDevice(t: ExecutionContext) {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.teardown(() => socket.close());
  let heard = '';
  socket.on('message', (datagram, from) => {
    const isResponse = datagram.toString().startsWith('200 ');
    heard += isResponse ? 'a' : 'i';
    if (!isResponse) socket.send(`AUTH ${'0'.repeat(32)}`, from.port, from.address);
    else if (heard.endsWith('aaaaa')) socket.send('ERR: ERROR[4]: Not Enough Space', from.port, from.address);
  });
  return { device: { host: '127.0.0.1', otaPort: socket.address().port }, heard: () => heard };
}

test('repeats the invitation until a busy device responds', async (t) => {
  const device = await quickDevice(t, { faults: { noResponse: true, uploads: 4 } });
  t.is((await send(device, { timings: repeating })).verdict.kind, 'accepted');
});

/** Far larger than the limit for unacknowledged data, so a device cannot have the whole image when the connection breaks halfway. */
const largeImage = syntheticSketch({ sizeBytes: 400 * 1024 });

for (const at of [0, 0.01, 0.5]) {
  test(`retries when the connection is reset at ${at * 100}%`, async (t) => {
    const device = await quickDevice(t, { faults: { transfer: { what: 'reset', at }, uploads: 2 } });
    const { verdict, progress } = await send(device, { image: largeImage, timings: repeating });
    t.is(verdict.kind, 'accepted');
    t.is(progress.at(-1)?.attempt, 3);
  });
}

for (const [what, at] of [
  ['reset', 0.99],
  ['reset', 1],
  ['reset', 'after-last-ack'],
  ['end', 0.99],
  ['end', 1],
  ['end', 'after-last-ack'],
] satisfies [TransferFault['what'], TransferFault['at']][]) {
  test(`reports that the device may have updated after the fault "${what}" at ${at}`, async (t) => {
    const device = await quickDevice(t, { faults: { transfer: { what, at } } });
    const { verdict } = await send(device);
    t.like(verdict, { kind: 'unknown', mayHaveUpdated: true });
  });
}

test('reports that the device has not updated after three interrupted attempts', async (t) => {
  const device = await quickDevice(t, { faults: { transfer: { what: 'reset', at: 0.3 } } });
  const { verdict, progress } = await send(device, { image: largeImage, timings: repeating });
  t.like(verdict, { kind: 'unknown', mayHaveUpdated: false });
  t.is(progress.at(-1)?.attempt, 3);
  t.deepEqual(
    verdictsOf(device).filter((word) => word === 'accepted'),
    [],
  );
});

test('continues after a stall that is shorter than the stall timeout', async (t) => {
  const device = await quickDevice(t, { faults: { transfer: { what: 'stall', at: 0.5, stallMs: 200 } } });
  const { verdict, progress } = await send(device);
  t.is(verdict.kind, 'accepted');
  t.is(progress.at(-1)?.attempt, 1);
});

test('retries after the device loses power during the transfer', async (t) => {
  const device = await quickDevice(t, { faults: { transfer: { what: 'half-open', at: 0.5 }, uploads: 1 } });
  const { verdict, progress } = await send(device, { image: largeImage, timings: { ...repeating, stallMs: 1500 } });
  t.is(verdict.kind, 'accepted', JSON.stringify(verdict));
  t.is(progress.at(-1)?.attempt, 2);
});

test('reports "unknown" when every connection is left half-open', async (t) => {
  const device = await quickDevice(t, { faults: { transfer: { what: 'half-open', at: 0.5 } } });
  const { verdict } = await send(device, { image: largeImage, timings: { ...repeating, stallMs: 300 } });
  t.is(verdict.kind, 'unknown');
});

test('reports "unknown" when the connection ends without OK', async (t) => {
  const device = await quickDevice(t, { faults: { verdict: 'none' } });
  const { verdict } = await send(device);
  t.like(verdict, { kind: 'unknown', mayHaveUpdated: true });
});

test('reports "unknown" for any text other than OK', async (t) => {
  for (const text of ['O', 'KO', '0K', 'accepted', '\n']) {
    const device = await quickDevice(t, { faults: { verdict: { text } } });
    const { verdict } = await send(device);
    t.like(verdict, { kind: 'unknown', mayHaveUpdated: true }, text);
    await device.close();
  }
});

test('rejects an OK that arrives before the image is sent', async (t) => {
  const device = await quickDevice(t, {
    faults: { greeting: Buffer.from('OK'), transfer: { what: 'half-open', at: 0.1 } },
  });
  const { verdict } = await send(device);
  t.like(verdict, { kind: 'wrongProtocol', which: 'unrecognized' });
});

test('reports as many accepted uploads as the device when two uploads run concurrently', async (t) => {
  for (const word of [undefined, password]) {
    const device = await quickDevice(t, { link: { rttMs: 20 }, ...(word === undefined ? {} : { password: word }) });
    // Two uploads that authenticate may cancel each other forever. Once the first upload times out, the second can finish.
    const sent = await Promise.all([
      send(device, { password, timings: { ...repeatingSlowly, retryBudgetMs: 2000 } }),
      send(device, { password, timings: repeatingSlowly }),
    ]);
    const accepted = sent.filter(({ verdict }) => verdict.kind === 'accepted').length;
    t.true(accepted >= 1, JSON.stringify(sent.map(({ verdict }) => verdict)));
    t.is(verdictsOf(device).filter((kind) => kind === 'accepted').length, accepted);
    await device.close();
  }
});

const stages: [title: string, options: Parameters<typeof quickDevice>[1], phase: string][] = [
  ['inviting', { faults: { noResponse: true } }, 'inviting'],
  ['authenticating', { password, faults: { udp: { loseShare: 1, direction: 'from-device' } } }, 'inviting'],
  ['waiting for the callback', { faults: { callBack: 'never' } }, 'awaitingCallBack'],
  ['sending', { faults: { transfer: { what: 'stall', at: 0.1, stallMs: endlessMs } } }, 'sending'],
  ['waiting for the verdict', { timings: { verdictPauseMs: endlessMs } }, 'awaitingVerdict'],
];
for (const [title, options, phase] of stages) {
  test(`rejects with the abort reason and closes all sockets when aborted while ${title}`, async (t) => {
    const device = await quickDevice(t, options);
    const abort = new AbortController();
    const hostPort = await freePort();
    const sending = send(device, {
      password,
      hostPort,
      signal: abort.signal,
      onProgress: (progress) => {
        // After this delay, the upload is in a wait that lasts longer than AVA's timeout.
        if (progress.phase === phase) setTimeout(() => abort.abort(new Error('Ctrl-C')), 20);
      },
    });
    await t.throwsAsync(sending, { message: 'Ctrl-C' });
    t.is(await connectionError(t, hostPort, '127.0.0.1'), 'ECONNREFUSED');
  });
}

test('rejects immediately when the signal is already aborted', async (t) => {
  const device = await quickDevice(t);
  await t.throwsAsync(send(device, { signal: AbortSignal.abort(new Error('Ctrl-C')) }), { message: 'Ctrl-C' });
});

test('closes the callback port after the verdict', async (t) => {
  const device = await quickDevice(t, { faults: { callBack: 'never' }, timings: { connectTimeoutMs: 20 } });
  const hostPort = await freePort();
  const { verdict } = await send(device, { hostPort, timings: { ...repeating, callBackMs: 100 } });
  if (verdict.kind !== 'blockedCallback') return t.fail(verdict.kind);
  t.is(verdict.port, hostPort);
  t.is(await connectionError(t, verdict.port, verdict.hostAddress), 'ECONNREFUSED');
});

async function connectionError(t: ExecutionContext, port: number, address: string): Promise<string | undefined> {
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const socket = connect(port, address, () => resolve(undefined)).on('error', resolve);
    t.teardown(() => socket.destroy());
  });
  return error?.code;
}

/** Returns the number of event loop iterations of this process so far. */
function loopRounds(): number {
  // Missing from the type definitions for Node.js 20.19.
  const { uvMetricsInfo } = performance.nodeTiming as unknown as { uvMetricsInfo: { loopCount: number } };
  return uvMetricsInfo.loopCount;
}

test.serial('keeps the event loop idle during every kind of wait', async (t) => {
  const waits: [Parameters<typeof quickDevice>[1], Partial<DeliveryTimings>, DeliveryVerdict['kind']][] = [
    [{ faults: { noResponse: true } }, { ...repeating, invitationMs: 500 }, 'unreachable'],
    [{ faults: { callBack: 'never' } }, { callBackMs: 500 }, 'blockedCallback'],
    [{ faults: { transfer: { what: 'half-open', at: 0.5 } } }, { stallMs: 500 }, 'unknown'],
    // espota.py spins here: it reads from the ended connection forever.
    [{ faults: { transfer: { what: 'end', at: 0.5 } } }, { attempts: 2, pauseMs: 500, ...repeating }, 'unknown'],
    [{ timings: { verdictPauseMs: 500 }, faults: { verdict: 'none' } }, {}, 'unknown'],
  ];
  for (const [options, timings, kind] of waits) {
    let fewestRounds = Number.POSITIVE_INFINITY;
    // A busy loop affects every trial. A single trial once counted 1,506 iterations, probably because of AVA's start-up messages.
    for (let trial = 0; trial < 3 && fewestRounds >= 300; trial++) {
      const device = await quickDevice(t, options);
      const before = loopRounds();
      const { verdict } = await send(device, { timings: { attempts: 1, ...timings } });
      fewestRounds = Math.min(fewestRounds, loopRounds() - before);
      t.is(verdict.kind, kind);
      await device.close();
    }
    t.true(fewestRounds < 300, `${kind}: ${fewestRounds} rounds`);
  }
});

test('keeps the password out of verdicts and progress, whatever the device sends', async (t) => {
  const echoes = [
    { faults: { invitationResponse: `no ${password}` } },
    { faults: { greeting: Buffer.from(`you said ${password}\n`) } },
    { faults: { verdict: { text: `ERROR[7]: ${password}\n` } } },
    { faults: { invitationResponse: `ERR: ERROR[4]: ${password}` } },
    { password: 'another' },
    { password, faults: { callBack: 'never' as const }, timings: { connectTimeoutMs: 20 } },
  ];
  for (const options of echoes) {
    const device = await quickDevice(t, options);
    const sent = await send(device, { password, timings: { ...repeatingSlowly, callBackMs: 200 } });
    t.false(JSON.stringify(sent).includes(password), JSON.stringify(sent.verdict));
    t.not(sent.verdict.kind, 'accepted');
    await device.close();
  }
});
