import type { Finding } from './finding.ts';
import { findImageEnd, imageMagic } from './image-header.ts';
import { wordAt } from './little-endian.ts';

/** Values of `chip_id` in the extended header of ESP32 images (`esp_chip_id_t` in `esp_app_format.h`). */
const esp32Chips: ReadonlyMap<number, string> = new Map([
  [0, 'ESP32'],
  [2, 'ESP32-S2'],
  [5, 'ESP32-C3'],
  [9, 'ESP32-S3'],
  [12, 'ESP32-C2'],
  [13, 'ESP32-C6'],
  [16, 'ESP32-H2'],
  [18, 'ESP32-P4'],
  [20, 'ESP32-C61'],
  [23, 'ESP32-C5'],
]);

const chipIdOffset = 12;
/** Instruction RAM, which contains the entry point of every ESP8266 image. The entry point of eboot is at or after `ebootStart`. */
const instructionRam = { start: 0x40100000, ebootStart: 0x4010f000, end: 0x40110000 } as const;
const applicationOffset = 0x1000;
const flashSizes: readonly number[] = [0.25, 0.5, 1, 2, 4, 8, 16].map((megabytes) => megabytes * 1024 * 1024);

/** Files that are often mistaken for sketch images, by their first bytes. */
const fileTypes: readonly (readonly [start: RegExp, what: string])[] = [
  [/^(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml)/i, 'an HTML page, such as the error page of a download'],
  [/^\x7fELF/, 'an ELF file: the image is the .bin file beside it'],
  [/^PK[^ -~]{2}/, 'a ZIP archive: extract the image'],
  [/^:[0-9A-F]{10}/, 'an Intel HEX file'],
  [/^\x55\xaa\x55\xaa/, 'a container of the Tuya update server'],
  [/^\xea/, "an image for Espressif's own boot loader or rBoot (first byte 0xea)"],
];

/**
 * Recognizes content that is not an image of the ESP8266 Arduino core.
 *
 * @returns finding that describes the content; undefined if the content is not recognized
 */
export function findForeignImage(content: Uint8Array): Finding | undefined {
  const what = foreignFile(content) ?? foreignFirmware(content);
  return what === undefined ? undefined : { id: 'foreign-image', message: `the file is ${what}`, offset: 0 };
}

function foreignFile(content: Uint8Array): string | undefined {
  const start = Buffer.from(content.subarray(0, 64)).toString('latin1');
  return fileTypes.find(([pattern]) => pattern.test(start))?.[1];
}

function foreignFirmware(content: Uint8Array): string | undefined {
  const entry = wordAt(content, 4);
  if (content[0] !== imageMagic || entry === undefined) return undefined;
  if (entry < instructionRam.start || entry >= instructionRam.end) {
    const chip = esp32Chips.get((content[chipIdOffset] ?? 0) | ((content[chipIdOffset + 1] ?? 0) << 8));
    return chip === undefined ? undefined : `an image for the ${chip}`;
  }
  return entry < instructionRam.ebootStart ? otherFirmware(content) : flashDump(content);
}

/** Recognizes the content of a whole flash chip by its size and by data after the sketch. */
function flashDump(content: Uint8Array): string | undefined {
  const sketchEnd = findImageEnd(content, applicationOffset);
  const isDump = sketchEnd !== undefined && sketchEnd < content.length && flashSizes.includes(content.length);
  return isDump ? `the content of a whole flash chip (${content.length} bytes)` : undefined;
}

/** Describes firmware for the ESP8266 that has its own boot process. */
function otherFirmware(content: Uint8Array): string | undefined {
  if (findImageEnd(content, 0) === undefined) return undefined;
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const name = ['MicroPython', 'NodeMCU'].find((text) => bytes.includes(text, 0, 'latin1'));
  const firmware = name === undefined ? "firmware of Espressif's SDK" : `${name} firmware`;
  return `${firmware}, which was not built with the ESP8266 Arduino core`;
}
