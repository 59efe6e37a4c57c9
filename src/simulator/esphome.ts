import type { Socket } from 'node:net';

const magic = Uint8Array.of(0x6c, 0x26, 0xf7, 0x5c, 0x45);
/** `OTA_RESPONSE_OK` and the version of the protocol. */
const greeting = Uint8Array.of(0x00, 0x02);
/** `OTA_RESPONSE_ERROR_MAGIC`. */
const wrongMagic = Uint8Array.of(0x80);

/**
 * What a device says that runs ESPHome and not ArduinoOTA: on a port of the same number, but over TCP, and the host begins. It gets no
 * further than the greeting; it is here to be mistaken for the other.
 */
export function greetAsEspHome(socket: Socket): void {
  let heard = Buffer.alloc(0);
  socket.on('end', () => socket.end());
  socket.on('data', (bytes: Buffer) => {
    if (heard.length >= magic.length) return;
    heard = Buffer.concat([heard, bytes]);
    if (heard.length < magic.length) return;
    if (heard.subarray(0, magic.length).equals(magic)) socket.write(greeting);
    else socket.end(wrongMagic);
  });
}
