import { halfWordAt, wordAt } from './little-endian.ts';

/** Section of a linked program that has content and an address. */
export interface ElfSection {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Relevant parts of a linked 32-bit little-endian Xtensa program. */
export interface ElfProgram {
  readonly entryAddress: number;
  /** Sections that are loaded into device memory (PROGBITS and ALLOC), ordered by address. */
  readonly loaded: readonly ElfSection[];
  /** Values of the requested symbols that the program defines. The map is empty for a stripped program. */
  readonly symbols: ReadonlyMap<string, number>;
}

const headerBytes = 52;
const sectionHeaderBytes = 40;
const symbolBytes = 16;
const machineXtensa = 94;
const sectionTypes = { programBits: 1, symbolTable: 2 } as const;
const allocFlag = 0x2;
const stringsFlag = 0x20;
const undefinedSection = 0;

/**
 * Reads an ELF file (System V ABI, chapter 4); returns undefined for any other file. Section headers past the end of the file are
 * ignored, and a section that extends past the end is truncated.
 *
 * @param wanted pattern for the names of the requested symbols
 */
export function readElf(file: Uint8Array, wanted: RegExp): ElfProgram | undefined {
  const entryAddress = wordAt(file, 24);
  const headers = readHeaders(file);
  if (entryAddress === undefined || headers === undefined) return undefined;
  return {
    entryAddress,
    loaded: headers
      .filter(({ type, flags, sizeBytes }) => type === sectionTypes.programBits && flags & allocFlag && sizeBytes > 0)
      .map((header) => ({ address: header.address, bytes: contents(file, header) }))
      .sort((a, b) => a.address - b.address),
    symbols: readSymbols(file, headers, wanted),
  };
}

/** Returns the contents of the sections with texts that are not loaded into device memory; empty if the file is not an Xtensa ELF. */
export function unloadedSections(file: Uint8Array): readonly Uint8Array[] {
  return (readHeaders(file) ?? [])
    .filter(({ type, flags }) => type === sectionTypes.programBits && !(flags & allocFlag) && flags & stringsFlag)
    .map((header) => contents(file, header));
}

function readHeaders(file: Uint8Array): readonly SectionHeader[] | undefined {
  const tableOffset = wordAt(file, 32);
  const entryBytes = halfWordAt(file, 46);
  const count = halfWordAt(file, 48);
  if (!isXtensaElf(file) || tableOffset === undefined || count === undefined) return undefined;
  if (entryBytes !== sectionHeaderBytes || file.length < headerBytes) return undefined;
  const headers: SectionHeader[] = [];
  for (let index = 0; index < count; index += 1) {
    const header = readSectionHeader(file, tableOffset + index * sectionHeaderBytes);
    if (header === undefined) break;
    headers.push(header);
  }
  return headers;
}

function isXtensaElf(file: Uint8Array): boolean {
  const isElf32LittleEndian = [0x7f, 0x45, 0x4c, 0x46, 1, 1].every((byte, index) => file[index] === byte);
  return isElf32LittleEndian && halfWordAt(file, 18) === machineXtensa;
}

interface SectionHeader {
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly sizeBytes: number;
  /** Index of the section that contains the symbol names; used only for symbol tables. */
  readonly link: number;
}

function readSectionHeader(file: Uint8Array, at: number): SectionHeader | undefined {
  const [, type, flags, address, offset, sizeBytes, link] = Array.from({ length: 7 }, (_, index) =>
    wordAt(file, at + 4 * index),
  );
  if (type === undefined || flags === undefined || address === undefined || offset === undefined) return undefined;
  return sizeBytes === undefined || link === undefined ? undefined : { type, flags, address, offset, sizeBytes, link };
}

function contents(file: Uint8Array, { offset, sizeBytes }: SectionHeader): Uint8Array {
  return file.subarray(offset, offset + sizeBytes);
}

function readSymbols(file: Uint8Array, headers: readonly SectionHeader[], wanted: RegExp): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const header = headers.find(({ type }) => type === sectionTypes.symbolTable);
  const namesHeader = header === undefined ? undefined : headers[header.link];
  if (header === undefined || namesHeader === undefined) return found;
  const table = contents(file, header);
  const names = Buffer.from(contents(file, namesHeader));
  for (let at = 0; at + symbolBytes <= table.length; at += symbolBytes) {
    const nameOffset = wordAt(table, at) ?? 0;
    if (nameOffset === 0 || halfWordAt(table, at + 14) === undefinedSection) continue;
    const name = nameAt(names, nameOffset);
    if (wanted.test(name)) found.set(name, wordAt(table, at + 4) ?? 0);
  }
  return found;
}

// Maximum length of a symbol name. The limit keeps the time linear for symbol tables with crafted offsets.
const longestName = 128;

function nameAt(names: Buffer, offset: number): string {
  const window = names.subarray(offset, offset + longestName);
  const end = window.indexOf(0);
  return end === -1 ? '' : window.toString('latin1', 0, end);
}
