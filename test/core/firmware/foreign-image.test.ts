import { gzipSync } from 'node:zlib';
import test from 'ava';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { fileRelease } from '../../../src/core/preflight/file-release.ts';
import { runRules } from '../../../src/core/preflight/run-rules.ts';
import { buildImage, concatBytes } from '../../support/image-builder.ts';
import { noisyBytes } from '../device-model/recipes.ts';

const erased = (sizeBytes: number) => new Uint8Array(sizeBytes).fill(0xff);

/** Image with the extended header of the ESP32 family. */
function esp32Image(chipId: number): Uint8Array {
  const header = Buffer.alloc(24);
  header.set([0xe9, 4, 2, 0x20]);
  header.writeUInt32LE(0x40081440, 4);
  header[8] = 0xee;
  header.writeUInt16LE(chipId, 12);
  header[23] = 1;
  return concatBytes(header, noisyBytes(200_000, 0.5, chipId + 1));
}

/** Image of Espressif's SDK: RAM segments at 0, and code that the flash cache maps from 0x10000. */
function sdkImage(text: string): Uint8Array {
  const segment = Buffer.alloc(8 + 0x6000);
  segment.writeUInt32LE(0x40100000, 0);
  segment.writeUInt32LE(0x6000, 4);
  const header = Buffer.from([0xe9, 1, 0, 0x40, 0, 0, 0, 0]);
  header.writeUInt32LE(0x40100004, 4);
  return concatBytes(header, segment, erased(0x10000 - 0x6010), Buffer.from(text), noisyBytes(300_000, 0.5, 5));
}

const foreign: Readonly<Record<string, Uint8Array>> = {
  'an image for the ESP32': esp32Image(0),
  'an image for the ESP32-S2': esp32Image(2),
  'an image for the ESP32-C3': esp32Image(5),
  'an image for the ESP32-S3': esp32Image(9),
  "an image for Espressif's own boot loader or rBoot (first byte 0xea)": concatBytes(
    Uint8Array.of(0xea, 4, 0, 0),
    noisyBytes(9000, 1, 1),
  ),
  'a container of the Tuya update server': concatBytes(Uint8Array.of(0x55, 0xaa, 0x55, 0xaa), noisyBytes(9000, 1, 2)),
  'MicroPython firmware, which was not built with the ESP8266 Arduino core': sdkImage(
    'MicroPython v1.22.2 on 2024-02-22',
  ),
  'NodeMCU firmware, which was not built with the ESP8266 Arduino core': sdkImage('NodeMCU 3.0.0.0'),
  "firmware of Espressif's SDK, which was not built with the ESP8266 Arduino core": sdkImage('AT+GMR'),
  'an HTML page, such as the error page of a download': Buffer.from(
    '<!DOCTYPE html><html><title>404 Not Found</title></html>',
  ),
  'an ELF file: the image is the .bin file beside it': Buffer.from('\x7fELF\x01\x01\x01 and more'),
  'the content of a whole flash chip (1048576 bytes)': dump(0x100000),
  'the content of a whole flash chip (4194304 bytes)': dump(0x400000),
};

function dump(sizeBytes: number): Uint8Array {
  const bytes = erased(sizeBytes);
  bytes.set(buildImage({ flashContent: noisyBytes(300_000, 0.4, 7), modeByte: 2, sizeAndFrequencyByte: 0x40 }));
  return bytes;
}

test('identifies images of other firmware and other files, and blocks them', (t) => {
  for (const [what, bytes] of Object.entries(foreign)) {
    for (const file of [bytes, gzipSync(bytes)]) {
      const firmware = readFirmware(file);
      t.is(firmware.kind, 'unknown', what);
      t.deepEqual(
        firmware.findings.filter(({ id }) => id !== 'data-after-image').map(({ id, message }) => [id, message]),
        [['foreign-image', `the file is ${what}`]],
      );
      const release = fileRelease(firmware, { file: 'other.bin' });
      const [artifact] = release.artifacts;
      if (artifact === undefined) return t.fail(what);
      const errors = runRules({ release, artifact, facts: {} }).filter(({ severity }) => severity === 'error');
      t.true(
        errors.some(({ rule, message }) => rule === 'corrupt-image' && message === `the file is ${what}`),
        what,
      );
    }
  }
});

test('recognizes sketch images built with the core, even with appended data or a damaged application', (t) => {
  const sketch = buildImage({ flashContent: noisyBytes(100_000, 0.4, 7), modeByte: 2, sizeAndFrequencyByte: 0x40 });
  t.is(readFirmware(sketch).kind, 'sketch');
  t.is(readFirmware(concatBytes(sketch, noisyBytes(5000, 1, 1))).kind, 'sketch');
  const damaged = sketch.slice();
  damaged[0x1000] = 0;
  t.is(readFirmware(damaged).kind, 'sketch');
  t.true(readFirmware(damaged).findings.some(({ id }) => id === 'application-missing'));
});
