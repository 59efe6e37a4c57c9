import { ArduinoOta } from './arduino-ota.ts';
import type { DeviceContext } from './device-context.ts';
import { greetAsEspHome } from './esphome.ts';
import type { VirtualDeviceOptions } from './options.ts';
import { TcpPort } from './tcp-port.ts';
import { UdpPort } from './udp-port.ts';

/** Port for updates sent by a host, regardless of the protocol. */
export interface OtaPort {
  readonly port: number;
  /** Clears all state, as a restart does on a real device. */
  reset(): void;
  close(): Promise<void>;
}

export async function openOtaPort(device: DeviceContext, options: VirtualDeviceOptions): Promise<OtaPort> {
  const { otaPort = 0, password, otaProtocol = 'arduino', faults } = options;
  if (otaProtocol === 'esphome') {
    const tcp = await TcpPort.open(device, otaPort, greetAsEspHome);
    return { port: tcp.port, reset: () => undefined, close: () => tcp.close() };
  }
  const link = { rttMs: device.link.rttMs, faults: faults?.udp ?? {}, random: device.random };
  const udp = await UdpPort.open(device.host, otaPort, link, (datagram, from) => {
    if (device.isUp) ota.receive(datagram, from);
  });
  const ota = new ArduinoOta(device, udp, password);
  return { port: udp.port, reset: () => ota.reset(), close: () => udp.close() };
}
