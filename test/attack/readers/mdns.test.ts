/** Hostile mDNS packets: the listener neither fails nor reports a service that is not valid, and still hears devices. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Bonjour } from 'bonjour-service';
import fc from 'fast-check';
import { printableText } from '../../../src/core/model/unprintable.ts';
import { Mdns, type SeenService } from '../../../src/delivery/mdns.ts';
import { mdnsPortOfThisProcess } from '../../support/mdns-port.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { variantsOf } from './mutations.ts';

const group = '224.0.0.251';

async function member(port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind(port, '0.0.0.0');
  await once(socket, 'listening');
  socket.addMembership(group, '127.0.0.1');
  socket.setMulticastInterface('127.0.0.1');
  return socket;
}

/** Whether the packet contains answers (the QR bit of RFC 1035, 4.1.1). */
function isResponse(packet: Uint8Array): boolean {
  return ((packet[2] ?? 0) & 0x80) !== 0;
}

/** Packets in which a device announces a service of each type, as bonjour-service writes them. */
async function soundPackets(t: ExecutionContext, port: number): Promise<readonly Buffer[]> {
  const ear = await member(port);
  const packets: Buffer[] = [];
  const heard = new Promise<void>((resolve) => {
    ear.on('message', (packet) => {
      packets.push(packet);
      if (packets.filter(isResponse).length >= 2) resolve();
    });
  });
  const mouth = await member(port);
  const bonjour = new Bonjour({ socket: mouth, bind: false, port } as object);
  t.teardown(() => bonjour.destroy());
  for (const type of ['arduino', 'http']) {
    bonjour.publish({ name: 'hall', type, host: 'hall.local', port: 8266, txt: { board: 'd1', auth_upload: 'no' } });
  }
  await heard;
  ear.close();
  return packets;
}

function isSound({ name, host, address, port, txt }: SeenService): boolean {
  const texts = [name, host, ...Object.entries(txt).flat()];
  return isIPv4(address) && Number.isInteger(port) && texts.every((text) => printableText.test(text));
}

test('hostile mDNS packets neither stop the listener nor appear as devices', async (t) => {
  const port = await mdnsPortOfThisProcess();
  const packets = await soundPackets(t, port);
  const mdns = await Mdns.open({ interfaces: ['127.0.0.1'], port });
  if (!(mdns instanceof Mdns)) return t.fail(mdns.unavailable);
  t.teardown(() => mdns.close());
  const seen: SeenService[] = [];
  mdns.onService((service) => void seen.push(service));
  mdns.query(['arduino', 'http']);

  const mouth = await member(port);
  t.teardown(() => mouth.close());
  const send = (packet: Uint8Array) => new Promise<void>((resolve) => mouth.send(packet, port, group, () => resolve()));
  /** Waits until the listener reports a new device. The system may drop datagrams, so they are sent again. */
  const hears = async (name: string) => {
    while (!seen.some((service) => service.name === name)) {
      for (const packet of packets) {
        await send(Buffer.from(packet.toString('latin1').replaceAll('hall', name), 'latin1'));
      }
      await turn();
    }
  };

  const { numRuns, seed = Date.now() } = propertyRuns(3000, 200_000);
  // A datagram holds at most 65,507 bytes.
  const hostile = variantsOf(packets).filter(({ length }) => length <= 65_507);
  let tried = 0;
  for (let round = 0; tried < numRuns; round++) {
    for (const packet of fc.sample(hostile, { numRuns: 30, seed: seed + round })) {
      await send(packet);
      tried++;
    }
    await hears(round.toString(36).padStart(4, '0'));
  }
  t.deepEqual(
    seen.filter((service) => !isSound(service)),
    [],
  );
  countAttacks({ kind: 'hostile input for readers: mDNS', tried, withstood: tried });
});
