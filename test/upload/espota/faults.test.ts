import { connect } from 'node:net';
import test from 'ava';
import { syntheticSketch, type TransferFault } from '../../../src/simulator/index.ts';
import type { Verdict } from '../../../src/upload/verdict.ts';
import { quickBoundMs, quickDelivery, quickEsp, type Sent, send, verdictsOf } from '../quick.ts';

const password = 'hunter2-of-the-door';

/** Waits that the device must not make the host shorten: the tests of CPU time need them long. */
const longWait = { stallMs: 1500, patienceMs: 1600, attempts: 1 };

for (const lost of [1, 2, 3, 4]) {
  test(`the first ${lost} datagrams are lost, whichever they are`, async (t) => {
    const esp = await quickEsp(t, { password, faults: { udp: { loseFirst: lost } } });
    const { verdict, tookMs } = await send(esp, { password });
    t.is(verdict.kind, 'accepted');
    t.true(tookMs < quickBoundMs);
  });

  test(`the first ${lost} answers of the device are lost: it calls back, or is asked again`, async (t) => {
    for (const word of [undefined, password]) {
      const faults = { udp: { loseFirst: lost, direction: 'from-device' as const } };
      const esp = await quickEsp(t, { faults, ...(word === undefined ? {} : { password: word }) });
      const { verdict, tookMs } = await send(esp, { password });
      t.is(verdict.kind, 'accepted', JSON.stringify(verdict));
      t.true(tookMs < quickBoundMs);
    }
  });
}

test('doubled and reordered datagrams change nothing', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const udp = { duplicateShare: 0.4, reorderShare: 0.4 };
    const esp = await quickEsp(t, { password, seed, faults: { udp } });
    const { verdict, tookMs } = await send(esp, { password });
    t.is(verdict.kind, 'accepted', `seed ${seed}: ${JSON.stringify(verdict)}`);
    t.true(tookMs < quickBoundMs);
    await esp.close();
  }
});

test('where each datagram comes twice, no authentication comes about, and that is said in time', async (t) => {
  const esp = await quickEsp(t, { password, faults: { udp: { duplicateShare: 1 } } });
  const { verdict, tookMs } = await send(esp, { password });
  t.true(verdict.kind === 'unreachable' && /password/.test(verdict.why), JSON.stringify(verdict));
  t.true(tookMs < quickBoundMs);
});

test('answers that take longer than the time between two invitations are waited for', async (t) => {
  const esp = await quickEsp(t, { password, link: { rttMs: 3 * quickDelivery.invitationIntervalMs } });
  const { verdict } = await send(esp, { password, timings: { invitationMs: 3000, patienceMs: 4000 } });
  t.is(verdict.kind, 'accepted');
});

test('while it authenticates the client sends no invitation, which would cancel it', async (t) => {
  // The answer to the challenge needs a round trip of eight intervals: an invitation in between would be fatal.
  const esp = await quickEsp(t, { password, link: { rttMs: 80 } });
  const timings = { invitationIntervalMs: 100, authenticationMs: 1000, patienceMs: 4000 };
  const { verdict, progress } = await send(esp, { password, timings });
  t.is(verdict.kind, 'accepted');
  t.deepEqual([...new Set(progress.map(({ attempt }) => attempt))], [1]);
});

test('a device that is busy at first is asked until it answers', async (t) => {
  const esp = await quickEsp(t, { faults: { deaf: true, uploads: 4 } });
  t.is((await send(esp)).verdict.kind, 'accepted');
});

for (const at of [0, 0.01, 0.5]) {
  test(`a connection that is reset at ${at * 100} % is a fault of the network, and is tried again`, async (t) => {
    const esp = await quickEsp(t, { faults: { transfer: { what: 'reset', at }, uploads: 2 } });
    const { verdict, progress, tookMs } = await send(esp);
    t.is(verdict.kind, 'accepted');
    t.is(progress.at(-1)?.attempt, 3);
    t.true(tookMs < quickBoundMs);
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
  test(`${what} at ${at}: nobody can know whether the device has the image, so it is not sent again`, async (t) => {
    const esp = await quickEsp(t, { faults: { transfer: { what, at } } });
    const { verdict, tookMs } = await send(esp);
    t.like(verdict, { kind: 'unknown', mayHaveUpdated: true });
    t.true(tookMs < quickBoundMs);
  });
}

test('a connection that breaks every time ends after three attempts, and the old sketch runs on', async (t) => {
  const esp = await quickEsp(t, { faults: { transfer: { what: 'reset', at: 0.3 } } });
  const { verdict, progress, tookMs } = await send(esp);
  t.like(verdict, { kind: 'unknown', mayHaveUpdated: false });
  t.is(progress.at(-1)?.attempt, 3);
  t.deepEqual(
    verdictsOf(esp).filter((word) => word === 'accepted'),
    [],
  );
  t.true(tookMs < quickBoundMs);
});

test('a stall that is shorter than the patience is sat out', async (t) => {
  const esp = await quickEsp(t, { faults: { transfer: { what: 'stall', at: 0.5, stallMs: 600 } } });
  const { verdict, progress } = await send(esp);
  t.is(verdict.kind, 'accepted');
  t.is(progress.at(-1)?.attempt, 1);
});

test('a device that loses its power in the middle is waited for, then asked again', async (t) => {
  const esp = await quickEsp(t, { faults: { transfer: { what: 'half-open', at: 0.5 }, uploads: 1 } });
  // Large enough that the second half cannot all be under way already.
  const image = syntheticSketch({ sizeBytes: 300 * 1024 });
  const { verdict, progress, tookMs } = await send(esp, { image });
  t.is(verdict.kind, 'accepted', JSON.stringify(verdict));
  t.is(progress.at(-1)?.attempt, 2);
  t.true(tookMs < quickBoundMs);
});

test('a connection that stays half open every time ends in time', async (t) => {
  const esp = await quickEsp(t, { faults: { transfer: { what: 'half-open', at: 0.5 } } });
  const { verdict, tookMs } = await send(esp);
  t.is(verdict.kind, 'unknown');
  t.true(tookMs < quickBoundMs);
});

test('the end of the connection in the place of OK is no OK', async (t) => {
  const esp = await quickEsp(t, { faults: { verdict: 'none' } });
  const { verdict } = await send(esp);
  t.like(verdict, { kind: 'unknown', mayHaveUpdated: true });
});

test('a wrong word in the place of OK is no OK', async (t) => {
  for (const text of ['O', 'KO', '0K', 'accepted', '\n']) {
    const esp = await quickEsp(t, { faults: { verdict: { text } } });
    const { verdict } = await send(esp);
    t.like(verdict, { kind: 'unknown', mayHaveUpdated: true }, text);
    await esp.close();
  }
});

test('an OK before the image was sent is not believed', async (t) => {
  const esp = await quickEsp(t, { faults: { greeting: Buffer.from('OK'), transfer: { what: 'half-open', at: 0.1 } } });
  const { verdict } = await send(esp);
  t.like(verdict, { kind: 'wrongProtocol', which: 'unrecognised' });
});

test('of two uploads at once to one device one is told yes, and the other is not told what is not so', async (t) => {
  for (const word of [undefined, password]) {
    const esp = await quickEsp(t, { link: { rttMs: 20 }, ...(word === undefined ? {} : { password: word }) });
    const sent = await Promise.all([send(esp, { password }), send(esp, { password })]);
    const accepted = sent.filter(({ verdict }) => verdict.kind === 'accepted').length;
    t.true(accepted >= 1, JSON.stringify(sent.map(({ verdict }) => verdict)));
    t.is(verdictsOf(esp).filter((kind) => kind === 'accepted').length, accepted);
    for (const { tookMs } of sent) t.true(tookMs < quickBoundMs);
    await esp.close();
  }
});

const stages: [title: string, options: Parameters<typeof quickEsp>[1], phase: string][] = [
  ['inviting', { faults: { deaf: true } }, 'inviting'],
  ['authenticating', { password, faults: { udp: { loseShare: 1, direction: 'from-device' } } }, 'inviting'],
  ['waiting for the call-back', { faults: { callBack: 'never' } }, 'awaitingCallBack'],
  ['sending', { link: { rttMs: 100, windowBytes: 2144 } }, 'sending'],
  ['waiting for the verdict', { timings: { verdictPauseMs: 5000 } }, 'awaitingVerdict'],
];
for (const [title, options, phase] of stages) {
  test(`an abort while ${title} ends at once, with its reason, and closes all sockets`, async (t) => {
    const esp = await quickEsp(t, options);
    const abort = new AbortController();
    let abortedAt = 0;
    const sending = send(esp, {
      password,
      signal: abort.signal,
      onProgress: (progress) => {
        if (progress.phase !== phase || abortedAt > 0) return;
        abortedAt = 1;
        setTimeout(() => {
          abortedAt = performance.now();
          abort.abort(new Error('Ctrl-C'));
        }, 60);
      },
    });
    await t.throwsAsync(sending, { message: 'Ctrl-C' });
    t.true(performance.now() - abortedAt < 500);
  });
}

test('an abort before anything was begun sends nothing', async (t) => {
  const esp = await quickEsp(t);
  await t.throwsAsync(send(esp, { signal: AbortSignal.abort(new Error('Ctrl-C')) }), { message: 'Ctrl-C' });
});

test('what the host listened on is closed when the verdict is there', async (t) => {
  const esp = await quickEsp(t, { faults: { callBack: 'never' }, timings: { dialTimeoutMs: 20 } });
  const { verdict } = await send(esp);
  if (verdict.kind !== 'blockedCallback') return t.fail(verdict.kind);
  const { port, hostAddress } = verdict;
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const socket = connect(port, hostAddress, () => resolve(undefined)).on('error', resolve);
    t.teardown(() => socket.destroy());
  });
  t.is(error?.code, 'ECONNREFUSED');
});

/** CPU seconds for a second of waiting, client and virtual device together. */
async function loadOf(sending: () => Promise<Sent>): Promise<{ share: number; verdict: Verdict }> {
  const before = process.cpuUsage();
  const { verdict, tookMs } = await sending();
  const { user, system } = process.cpuUsage(before);
  return { share: (user + system) / 1000 / tookMs, verdict };
}

test.serial('waiting costs no CPU, whatever is waited for', async (t) => {
  const waits: [Parameters<typeof quickEsp>[1], Verdict['kind']][] = [
    [{ faults: { deaf: true } }, 'unreachable'],
    [{ faults: { callBack: 'never' } }, 'blockedCallback'],
    [{ faults: { transfer: { what: 'half-open', at: 0.5 } } }, 'unknown'],
    // espota.py spins on these: the connection has ended, and it reads nothing for ever.
    [{ faults: { transfer: { what: 'end', at: 0.5 } } }, 'unknown'],
    [{ timings: { verdictPauseMs: 1000 }, faults: { verdict: 'none' } }, 'unknown'],
  ];
  for (const [options, kind] of waits) {
    const esp = await quickEsp(t, options);
    const timings = { ...longWait, invitationMs: 1500, callBackMs: 1500, invitationIntervalMs: 200, pauseMs: 1000 };
    const { share, verdict } = await loadOf(() =>
      send(esp, { timings: { ...timings, attempts: 2, patienceMs: 3000 } }),
    );
    t.is(verdict.kind, kind);
    t.true(share < 0.2, `${kind}: ${share.toFixed(2)} of a core`);
    await esp.close();
  }
});

test('no verdict, no progress and no error says the password, whatever the device does', async (t) => {
  const echoes = [
    { faults: { invitationAnswer: `no ${password}` } },
    { faults: { greeting: Buffer.from(`you said ${password}\n`) } },
    { faults: { verdict: { text: `ERROR[7]: ${password}\n` } } },
    { faults: { invitationAnswer: `ERR: ERROR[4]: ${password}` } },
    { password: 'another' },
    { password, faults: { callBack: 'never' as const } },
  ];
  for (const options of echoes) {
    const esp = await quickEsp(t, options);
    const sent = await send(esp, { password });
    t.false(JSON.stringify(sent).includes(password), JSON.stringify(sent.verdict));
    t.not(sent.verdict.kind, 'accepted');
    await esp.close();
  }
});
