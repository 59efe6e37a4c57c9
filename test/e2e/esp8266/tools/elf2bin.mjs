// Creates the .bin from a bootloader and an application, with the same layout as tools/elf2bin.py in esp8266/Arduino 3.x.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const FLASH_MODES = { qio: 0, qout: 1, dio: 2, dout: 3 };
const FLASH_FREQUENCIES = { 40: 0, 26: 1, 20: 2, 80: 15 };
const FLASH_SIZES = { '512K': 0, '256K': 1, '1M': 2, '2M': 3, '4M': 4, '8M': 8, '16M': 9 };
const BOOTLOADER_BYTES = 4096;
const SIZE_OFFSET = BOOTLOADER_BYTES + 16;
const CRC_OFFSET = BOOTLOADER_BYTES + 20;

const text = { type: 'string' };
const { values: options } = parseArgs({
  options: {
    eboot: text,
    app: text,
    flash_mode: text,
    flash_freq: text,
    flash_size: text,
    path: text,
    out: text,
    gzip: text,
  },
});

const bootloader = imageOf(readElf(options.eboot), ['.text', '.rodata']);
if (bootloader.length > BOOTLOADER_BYTES) throw new Error(`the bootloader has ${bootloader.length} bytes, not 4096`);
const padding = Buffer.alloc(BOOTLOADER_BYTES - bootloader.length, 0xaa);
const application = imageOf(readElf(options.app), ['.irom0.text', '.text', '.text1', '.data', '.rodata']);

const image = Buffer.concat([bootloader, padding, application]);
image.writeUInt32LE(0, SIZE_OFFSET);
image.writeUInt32LE(0, CRC_OFFSET);
const crc = crcOf(image);
image.writeUInt32LE(image.length, SIZE_OFFSET);
image.writeUInt32LE(crc, CRC_OFFSET);

if (options.gzip === 'PIO') {
  writeFileSync(`${options.out}.orig`, image);
  writeFileSync(options.out, gzipSync(image));
} else {
  writeFileSync(options.out, image);
}
if (options.gzip === 'Arduino') writeFileSync(`${options.out}.gz`, gzipSync(image));

/** Entry point and named sections of a 32-bit little-endian ELF file. */
function readElf(file) {
  const elf = readFileSync(file);
  if (elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 1 || elf[5] !== 1) throw new Error(`${file} is no ELF32 file`);
  const tableOffset = elf.readUInt32LE(32);
  const entryBytes = elf.readUInt16LE(46);
  const headers = Array.from({ length: elf.readUInt16LE(48) }, (_, index) => {
    const at = tableOffset + index * entryBytes;
    const [name, type, , address, offset, size] = [0, 4, 8, 12, 16, 20].map((field) => elf.readUInt32LE(at + field));
    return { name, type, address, bytes: type === 8 ? Buffer.alloc(0) : elf.subarray(offset, offset + size) };
  });
  const names = headers[elf.readUInt16LE(50)].bytes;
  const nameAt = (at) => names.toString('latin1', at, names.indexOf(0, at));
  return { entry: elf.readUInt32LE(24), sections: headers.map((header) => ({ ...header, name: nameAt(header.name) })) };
}

/** Header, segments and checksum of one program. */
function imageOf({ entry, sections }, wanted) {
  const segments = wanted.flatMap((name) =>
    sections.filter((section) => section.name === name && section.bytes.length),
  );
  const frequencyAndSize = FLASH_FREQUENCIES[options.flash_freq] + 16 * FLASH_SIZES[options.flash_size];
  const head = Buffer.from([0xe9, segments.length, FLASH_MODES[options.flash_mode], frequencyAndSize, 0, 0, 0, 0]);
  head.writeUInt32LE(entry, 4);

  const parts = [head];
  let checksum = 0xef;
  for (const { address, bytes } of segments) {
    const segmentHead = Buffer.alloc(8);
    segmentHead.writeUInt32LE(address, 0);
    segmentHead.writeUInt32LE(bytes.length, 4);
    parts.push(segmentHead, bytes);
    for (const byte of bytes) checksum ^= byte;
  }
  const body = Buffer.concat(parts);
  const end = Buffer.alloc(16 - (body.length % 16));
  end[end.length - 1] = checksum;
  return Buffer.concat([body, end]);
}

/** CRC-32 with polynomial 0x04c11db7, most significant bit first, no final inversion: crc8266 in elf2bin.py. */
function crcOf(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}
