import type { Socket } from 'node:net';

const magic = Uint8Array.of(0x6c, 0x26, 0xf7, 0x5c, 0x45);
/** Status `OTA_RESPONSE_OK`, followed by the protocol version. */
const greeting = Uint8Array.of(0x00, 0x02);
/** Error code `OTA_RESPONSE_ERROR_MAGIC`. */
const wrongMagic = Uint8Array.of(0x80);

/**
 * Responds like a device that runs ESPHome instead of ArduinoOTA. ESPHome uses TCP, and the host sends first. Only the greeting is
 * simulated, so that tests can detect a device with an unexpected protocol.
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
