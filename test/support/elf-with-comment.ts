import { door } from './built-sketch.ts';

const sectionHeaderBytes = 40;

/** Adds a section with texts, as `.comment` is, to the ELF file of the fixture sketch, which has none. */
export function elfWithComment(text: string): Buffer {
  const elf = Buffer.from(door.elf);
  const count = elf.readUInt16LE(48);
  const table = elf.subarray(elf.readUInt32LE(32), elf.readUInt32LE(32) + count * sectionHeaderBytes);
  const comment = Buffer.from(text, 'latin1');
  const header = Buffer.alloc(sectionHeaderBytes);
  // Type PROGBITS; flags MERGE and STRINGS; offset and size of the text.
  for (const [at, value] of [
    [4, 1],
    [8, 0x30],
    [16, elf.length],
    [20, comment.length],
  ] as const) {
    header.writeUInt32LE(value, at);
  }
  const start = elf.length + comment.length;
  elf.writeUInt32LE(start, 32);
  elf.writeUInt16LE(count + 1, 48);
  return Buffer.concat([elf, comment, table, header]);
}
