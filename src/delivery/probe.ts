import { createSocket } from 'node:dgram';
import { request } from 'node:http';
import { Mailbox } from './mailbox.ts';
import type { DeliveryWayName } from './ways.ts';

/** Where to ask. */
export interface ProbePlace {
  readonly method: DeliveryWayName;
  readonly port: number;
  readonly path?: string | undefined;
}

/**
 * Asks once whether a device answers, in a way that changes nothing on it.
 *
 * @param address IPv4
 * @throws the reason of the signal, when it aborts
 */
export async function probe(
  place: ProbePlace,
  address: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const answered = new Mailbox<boolean>();
  const close = probes[place.method](place, address, (answer) => answered.put(answer));
  try {
    return (await answered.next(limitMs, signal)) ?? false;
  } finally {
    close();
  }
}

type Probe = (place: ProbePlace, address: string, onEnd: (answered: boolean) => void) => () => void;

const probes: Readonly<Record<DeliveryWayName, Probe>> = { espota: probeEspota, web: probeWeb };

/**
 * An invitation to nothing: `Update.begin(0)` fails with ERROR 5 before it touches the flash, and a device with a password asks for it
 * (`ArduinoOTA.cpp`). The sketch's own onError handler is called; where that restarts the device, it restarts once more.
 */
function probeEspota({ port }: ProbePlace, address: string, onEnd: (answered: boolean) => void): () => void {
  const socket = createSocket('udp4');
  socket.on('error', () => onEnd(false));
  socket.on('message', (answer) => {
    // What waits for a password takes the next line as one. This one is none, and it is idle again.
    if (answer.toString('latin1').startsWith('AUTH ')) socket.send('0\n', () => onEnd(true));
    else onEnd(true);
  });
  socket.connect(port, address, () => socket.send(`0 0 0 ${'0'.repeat(32)}\n`, () => undefined));
  return () => socket.close();
}

/** A look at the page with the form; whatever the answer is, somebody gave it. */
function probeWeb(
  { port, path = '/update' }: ProbePlace,
  address: string,
  onEnd: (answered: boolean) => void,
): () => void {
  const ask = request({ host: address, port, path, agent: false }, (response) => {
    response.resume();
    onEnd(true);
  });
  ask.on('error', () => onEnd(false));
  ask.end();
  return () => ask.destroy();
}
