/** Hostile mDNS messages: the listener neither fails nor reports an invalid service, and still reports devices. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { printableText } from '../../../src/core/model/unprintable.ts';
import { Mdns, type SeenService } from '../../../src/delivery/mdns.ts';
import { mdnsPortOfThisProcess } from '../../support/mdns-port.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { announcement } from '../support/mdns-message.ts';
import { variantsOf } from './mutations.ts';

const group = '224.0.0.251';
/** Larger messages are dropped (test/delivery/limited-mdns-socket.test.ts). */
const mostMessageBytes = 9000;
/** The listener processes one message in each turn of the event loop, so it has processed all messages of a run by then. */
const turnsUntilLost = 1000;
const mostRepetitions = 20;
/** At most 60 bytes: a label of a name has at most 63. */
const hostileText = fc.string({ unit: 'binary', minLength: 1, maxLength: 15 });

async function member(port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind(port, '0.0.0.0');
  await once(socket, 'listening');
  socket.addMembership(group, '127.0.0.1');
  socket.setMulticastInterface('127.0.0.1');
  return socket;
}

function isValid({ name, host, address, port, txt }: SeenService): boolean {
  const texts = [name, host, ...Object.entries(txt).flat()];
  return isIPv4(address) && Number.isInteger(port) && texts.every((text) => printableText.test(text));
}

test('keeps listening after hostile mDNS messages, and reports no devices for them', async (t) => {
  const port = await mdnsPortOfThisProcess();
  const mdns = await Mdns.open({ interfaces: ['127.0.0.1'], port });
  if (!(mdns instanceof Mdns)) return t.fail(mdns.unavailable);
  t.teardown(() => mdns.close());
  let seen: SeenService[] = [];
  mdns.onService((service) => void seen.push(service));

  const sender = await member(port);
  t.teardown(() => sender.close());
  const send = (message: Uint8Array) =>
    new Promise<void>((resolve) => sender.send(message, port, group, () => resolve()));

  /** Announces a device until the listener reports it, because the system may drop datagrams. */
  const reports = async (name: string) => {
    for (let repetition = 0; repetition < mostRepetitions; repetition++) {
      await send(announcement('arduino', name));
      for (let count = 0; count < turnsUntilLost; count++) {
        if (seen.some((service) => service.name === name)) return true;
        await turn();
      }
    }
    return false;
  };

  const variants = variantsOf([announcement('arduino', 'hall'), announcement('http', 'hall')]);
  const hostileTexts = fc
    .tuple(fc.constantFrom('arduino', 'http'), hostileText, hostileText)
    .map(([type, device, text]) => announcement(type, device, [`${text}=${device}`, `board=${text}`]));
  const hostile = fc.oneof(
    variants.filter(({ length }) => length <= mostMessageBytes),
    hostileTexts,
  );
  let tried = 0;
  let runs = 0;
  const property = fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 30 }), async (sent) => {
    seen = [];
    // After each query, a limited number of services is reported.
    mdns.query(['arduino', 'http']);
    for (const message of sent) await send(message);
    tried += sent.length;
    const name = (runs++).toString(36).padStart(4, '0');
    if (!(await reports(name))) throw new Error('the listener no longer reports devices');
    const invalid = seen.find((service) => !isValid(service));
    if (invalid !== undefined) throw new Error(`reported ${JSON.stringify(invalid)}`);
  });
  // An error outside the listener's callers would end the process before fast-check prints the seed.
  const parameters = { seed: Date.now(), ...propertyRuns(100, 10_000) };
  t.log(`seed ${parameters.seed}`);
  await t.notThrowsAsync(() => fc.assert(property, parameters));
  countAttacks({ kind: 'hostile input for readers: mDNS', tried, withstood: tried });
});
