import { ArduinoOta } from './arduino-ota.ts';
import { greetAsEspHome } from './esphome.ts';
import type { VirtualEspOptions } from './options.ts';
import type { Esp } from './services.ts';
import { TcpPort } from './tcp-port.ts';
import { UdpPort } from './udp-port.ts';

/** Port for updates from a host, independent of the protocol. */
export interface OtaPort {
  readonly port: number;
  /** Clears all state, as a restart does. */
  reset(): void;
  close(): Promise<void>;
}

export async function openOtaPort(esp: Esp, options: VirtualEspOptions): Promise<OtaPort> {
  const { otaPort = 0, password, speaks = 'arduino', faults } = options;
  if (speaks === 'esphome') {
    const tcp = await TcpPort.open(esp, otaPort, greetAsEspHome);
    return { port: tcp.port, reset: () => undefined, close: () => tcp.close() };
  }
  const link = { rttMs: esp.link.rttMs, faults: faults?.udp ?? {}, random: esp.random };
  const udp = await UdpPort.open(esp.host, otaPort, link, (datagram, from) => {
    if (esp.isUp) ota.receive(datagram, from);
  });
  const ota = new ArduinoOta(esp, udp, password);
  return { port: udp.port, reset: () => ota.reset(), close: () => udp.close() };
}
