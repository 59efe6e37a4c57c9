import { connect } from 'node:net';

/** What an ESPHome client says first (`ESPHomeOTAComponent`); its devices listen on the ports of espota, but over TCP. */
const magic = Uint8Array.of(0x6c, 0x26, 0xf7, 0x5c, 0x45);

/** `OTA_RESPONSE_OK`, then the version of the protocol. */
const responseOk = 0x00;
const newestVersion = 0x0f;

export function startsWithEspHomeMagic(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, magic.length)).equals(magic);
}

/**
 * Asks a silent device whether it speaks ESPHome's protocol; nothing is changed on it, since a session that ends after its greeting
 * updates nothing.
 *
 * @param signal ends the question, which is then answered with no
 */
export function speaksEspHome(address: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = Buffer.alloc(0);
    const socket = connect({ host: address, port, signal });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => socket.write(magic));
    socket.on('data', (bytes: Buffer) => {
      heard = Buffer.concat([heard, bytes]);
      if (heard.length >= 2) settle(heard[0] === responseOk && isVersion(heard[1] ?? 0));
    });
    for (const end of ['end', 'error', 'close'] as const) socket.on(end, () => settle(false));
  });
}

function isVersion(byte: number): boolean {
  return byte >= 1 && byte <= newestVersion;
}
