import type { Socket } from 'node:net';

const magic = Uint8Array.of(0x6c, 0x26, 0xf7, 0x5c, 0x45);
/** `OTA_RESPONSE_OK` and the protocol version. */
const greeting = Uint8Array.of(0x00, 0x02);
/** `OTA_RESPONSE_ERROR_MAGIC`. */
const wrongMagic = Uint8Array.of(0x80);

/**
 * Responds like a device that runs ESPHome instead of ArduinoOTA: over TCP, where the host sends first. Only the greeting is simulated,
 * which is enough to test tools against a device with the wrong protocol.
 */
export function greetAsEspHome(socket: Socket): void {
  let received = Buffer.alloc(0);
  socket.on('end', () => socket.end());
  socket.on('data', (bytes: Buffer) => {
    if (received.length >= magic.length) return;
    received = Buffer.concat([received, bytes]);
    if (received.length < magic.length) return;
    if (received.subarray(0, magic.length).equals(magic)) socket.write(greeting);
    else socket.end(wrongMagic);
  });
}
