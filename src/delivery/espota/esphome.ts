import { connect } from 'node:net';

/** First bytes that an ESPHome client sends (`ESPHomeOTAComponent`). ESPHome devices use the same ports as espota, but over TCP. */
const magic = Uint8Array.of(0x6c, 0x26, 0xf7, 0x5c, 0x45);

/** Status byte `OTA_RESPONSE_OK`, which a device sends before the protocol version. */
const responseOk = 0x00;
const newestVersion = 0x0f;

export function startsWithEspHomeMagic(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, magic.length)).equals(magic);
}

/**
 * Checks whether an unresponsive device uses ESPHome's protocol. The check changes nothing on the device, because the session ends after
 * the greeting.
 *
 * @param signal cancels the check, which then returns false
 */
export function usesEspHome(address: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = connect({ host: address, port, signal });
    const settle = (isEspHome: boolean) => {
      socket.destroy();
      resolve(isEspHome);
    };
    socket.on('connect', () => socket.write(magic));
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      if (received.length >= 2) settle(received[0] === responseOk && isVersion(received[1] ?? 0));
    });
    for (const end of ['end', 'error', 'close'] as const) socket.on(end, () => settle(false));
  });
}

function isVersion(byte: number): boolean {
  return byte >= 1 && byte <= newestVersion;
}
