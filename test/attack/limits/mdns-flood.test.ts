/**
 * Responders that send endless, looping, huge and malformed packets: discovery continues, ends on time, and reports a limited number of
 * services.
 */
import { createSocket, type Socket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { Discovery, identityOf } from '../../../src/delivery/discovery.ts';
import { pause } from '../../../src/delivery/pause.ts';
import { quickDevice } from '../../delivery/quick.ts';
import { mdnsPortOfThisProcess } from '../../support/mdns-port.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { nameOf, pointerTo, recordTypes, response } from '../support/mdns-message.ts';

const port = await mdnsPortOfThisProcess();
const group = '224.0.0.251';
const never = new AbortController().signal;
const { ptr, srv, txt } = recordTypes;

const service = nameOf('_arduino', '_tcp', 'local');
let count = 0;

/** Devices that do not exist, with new names in each packet. */
function newDevices(howMany: number): Buffer {
  return response(
    Array.from({ length: howMany }, () => {
      const name = nameOf(`flood-${count++}`, '_arduino', '_tcp', 'local');
      const target = Buffer.concat([Buffer.alloc(4), Buffer.of(0x20, 0x4a), nameOf(`flood-${count}`, 'local')]);
      return [
        { name: service, type: ptr, data: name },
        { name, type: srv, data: target },
      ];
    }).flat(),
  );
}

/** The largest packet that UDP allows. bonjour-service compares each record with all others. */
const matching = response([
  { name: service, type: ptr, data: service },
  ...Array.from({ length: 1800 }, () => ({ name: pointerTo(12), type: ptr, data: service })),
]);

const packets: Readonly<{ [kind: string]: () => Buffer }> = {
  'new devices': () => newDevices(10),
  'many new devices in each packet': () => newDevices(60),
  'records that all match each other': () => matching,
  'a pointer to itself': () => response([{ name: pointerTo(12), type: ptr, data: pointerTo(12) }]),
  'pointers in a circle': () => response([{ name: Buffer.of(0xc0, 14, 0xc0, 12), type: ptr, data: pointerTo(12) }]),
  'a chain of pointers': () => {
    const chain = Buffer.concat(Array.from({ length: 4000 }, (_, index) => pointerTo(Math.max(12, 10 + 2 * index))));
    return Buffer.concat([response([], 1), chain]);
  },
  'a name that is too long': () =>
    response([{ name: nameOf(...Array(60).fill('x'.repeat(63))), type: ptr, data: service }]),
  'a huge packet': () => Buffer.concat([response([]), Buffer.alloc(60_000)]),
  'a count above the number of records': () => response([{ name: service, type: ptr, data: service }], 65_535),
  'endless TXT entries': () =>
    response([{ name: service, type: txt, data: Buffer.alloc(8000, Buffer.from('\x03a=b')) }]),
  'random bytes': () =>
    Buffer.from(fc.sample(fc.uint8Array({ maxLength: 1000 }), { numRuns: 1, seed: count++ })[0] ?? []),
  'changed bytes': () => {
    const bytes = newDevices(5);
    const change = fc.record({ at: fc.integer({ min: 12, max: bytes.length - 1 }), to: fc.nat(255) });
    for (const { at, to } of fc.sample(change, { numRuns: 5, seed: count })) bytes[at] = to;
    return bytes;
  },
};

async function attacker(t: ExecutionContext): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.setMulticastInterface('127.0.0.1');
  t.teardown(() => socket.close());
  return socket;
}

async function open(t: ExecutionContext): Promise<Discovery> {
  const discovery = await Discovery.open({ interfaces: ['127.0.0.1'], port });
  if (!(discovery instanceof Discovery)) throw new Error(discovery.unavailable);
  t.teardown(() => discovery.close());
  return discovery;
}

/** Sends packets until the test ends, as fast as the system accepts them. Returns a function that returns their number. */
async function floodWith(t: ExecutionContext, makePacket: () => Buffer): Promise<() => number> {
  const socket = await attacker(t);
  let sent = 0;
  let hasEnded = false;
  t.teardown(() => {
    hasEnded = true;
  });
  const send = () => {
    if (hasEnded) return;
    for (let times = 0; times < 10; times++) socket.send(makePacket(), port, group, () => sent++);
    setImmediate(send);
  };
  send();
  return () => sent;
}

for (const [what, makePacket] of Object.entries(packets)) {
  test.serial(`ends discovery on time while a responder sends ${what}`, async (t) => {
    const discovery = await open(t);
    const seen = new Set<string>();
    let reports = 0;
    discovery.watch((device) => {
      reports++;
      seen.add(identityOf(device));
    });
    const sent = await floodWith(t, makePacket);
    await pause(300, never);
    while (sent() < 200) await pause(10, never);
    if (what === 'new devices') t.true(reports > 0 && seen.size === reports, 'the packets arrive');
    // One query after 0, 250 and 1250 ms; each reports at most 2000 services.
    t.true(reports <= 3 * 2000, `${reports} reports`);
    countAttacks({ kind: 'mDNS packets', tried: sent(), withstood: sent() });
  });
}

test.serial('discovers a device after a flood of packets', async (t) => {
  const socket = await attacker(t);
  const discovery = await open(t);
  for (const makePacket of Object.values(packets)) {
    for (let times = 0; times < 20; times++) {
      await new Promise<void>((resolve) => socket.send(makePacket(), port, group, () => resolve()));
    }
  }
  const device = quickDevice(t, { host: '127.0.0.1', hostname: 'after-flood', mdns: { port } });
  await new Promise<void>((resolve) => {
    discovery.watch(({ host }) => host === 'after-flood.local' && resolve());
  });
  t.is((await device).hostname, 'after-flood');
});
