import { createSocket } from 'node:dgram';
import { request } from 'node:http';
import { EventQueue } from './event-queue.ts';

/** Target of a probe: protocol, port and path. */
export interface ProbePlace {
  readonly method: 'espota' | 'web';
  readonly port: number;
  readonly path?: string | undefined;
}

/**
 * Sends one probe to a device and reports whether it responds. The probe changes nothing on the device.
 *
 * @param address IPv4 address
 * @throws the signal's abort reason
 */
export async function probe(
  place: ProbePlace,
  address: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const results = new EventQueue<boolean>();
  const close = probes[place.method](place, address, (message) => results.put(message));
  try {
    return (await results.next(limitMs, signal)) ?? false;
  } finally {
    close();
  }
}

type Probe = (place: ProbePlace, address: string, onEnd: (results: boolean) => void) => () => void;

const probes: Readonly<Record<ProbePlace['method'], Probe>> = { espota: probeEspota, web: probeWeb };

/**
 * Sends an invitation for an empty image. `Update.begin(0)` fails with ERROR 5 before the flash is changed, and a device with a password
 * sends a challenge (`ArduinoOTA.cpp`). The failure calls the sketch's onError handler. If this handler restarts the device, one
 * additional restart occurs.
 */
function probeEspota({ port }: ProbePlace, address: string, onEnd: (results: boolean) => void): () => void {
  const socket = createSocket('udp4');
  socket.on('error', () => onEnd(false));
  socket.on('message', (message) => {
    // After a challenge, the device reads the next line as the response. An invalid line ends the authentication.
    if (message.toString('latin1').startsWith('AUTH ')) socket.send('0\n', () => onEnd(true));
    else onEnd(true);
  });
  socket.connect(port, address, () => socket.send(`0 0 0 ${'0'.repeat(32)}\n`, () => undefined));
  return () => socket.close();
}

/** Requests the form page. Any response shows that the device is online. */
function probeWeb(
  { port, path = '/update' }: ProbePlace,
  address: string,
  onEnd: (results: boolean) => void,
): () => void {
  const probe = request({ host: address, port, path, agent: false }, (response) => {
    response.resume();
    onEnd(true);
  });
  probe.on('error', () => onEnd(false));
  probe.end();
  return () => probe.destroy();
}
