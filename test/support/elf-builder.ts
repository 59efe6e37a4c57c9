import type { BuiltSegment } from './image-builder.ts';

/** Contents of an ELF file for a test. */
export interface ElfRecipe {
  readonly entryAddress: number;
  readonly sections: readonly BuiltSegment[];
  /** Defined symbols. */
  readonly symbols?: readonly string[];
  /** Values of defined symbols; 0 by default. */
  readonly values?: Readonly<Record<string, number>>;
  readonly undefinedSymbols?: readonly string[];
  /** Machine type in the ELF header; 94 is Xtensa. */
  readonly machine?: number;
}

const headerBytes = 52;
const sectionHeaderBytes = 40;
const symbolBytes = 16;

/** Builds a little-endian ELF32 file: contents, symbol table and names, section headers at the end. */
export function buildElf(recipe: ElfRecipe): Uint8Array {
  const names = Buffer.from(
    `\0${[...(recipe.symbols ?? []), ...(recipe.undefinedSymbols ?? [])].join('\0')}\0`,
    'latin1',
  );
  const table = symbolTable(recipe, names);
  const contents: Buffer[] = [...recipe.sections.map(({ bytes }) => Buffer.from(bytes)), table, names];
  const offsets = contents.map(
    (_, index) => headerBytes + contents.slice(0, index).reduce((sum, part) => sum + part.length, 0),
  );
  const tableAt = headerBytes + contents.reduce((sum, part) => sum + part.length, 0);
  const namesIndex = recipe.sections.length + 2;

  const sectionHeaders = [
    sectionHeader({}),
    ...recipe.sections.map(({ address, bytes }, index) =>
      sectionHeader({ type: 1, flags: 2, address, offset: offsets[index] ?? 0, size: bytes.length }),
    ),
    sectionHeader({ type: 2, offset: offsets.at(-2) ?? 0, size: table.length, link: namesIndex }),
    sectionHeader({ type: 3, offset: offsets.at(-1) ?? 0, size: names.length }),
  ];
  return Uint8Array.from(
    Buffer.concat([elfHeader(recipe, tableAt, sectionHeaders.length), ...contents, ...sectionHeaders]),
  );
}

function elfHeader(recipe: ElfRecipe, tableAt: number, sectionCount: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]).copy(header);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(recipe.machine ?? 94, 18);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(recipe.entryAddress, 24);
  header.writeUInt32LE(tableAt, 32);
  header.writeUInt16LE(headerBytes, 40);
  header.writeUInt16LE(sectionHeaderBytes, 46);
  header.writeUInt16LE(sectionCount, 48);
  return header;
}

interface SectionFields {
  readonly type?: number;
  readonly flags?: number;
  readonly address?: number;
  readonly offset?: number;
  readonly size?: number;
  readonly link?: number;
}

function sectionHeader({ type = 0, flags = 0, address = 0, offset = 0, size = 0, link = 0 }: SectionFields): Buffer {
  const header = Buffer.alloc(sectionHeaderBytes);
  for (const [index, word] of [0, type, flags, address, offset, size, link].entries())
    header.writeUInt32LE(word, 4 * index);
  return header;
}

function symbolTable({ symbols = [], undefinedSymbols = [], values = {} }: ElfRecipe, names: Buffer): Buffer {
  const entries = [
    ...symbols.map((name) => ({ name, section: 1 })),
    ...undefinedSymbols.map((name) => ({ name, section: 0 })),
  ];
  const table = Buffer.alloc(symbolBytes * (entries.length + 1));
  for (const [index, { name, section }] of entries.entries()) {
    const at = symbolBytes * (index + 1);
    table.writeUInt32LE(names.indexOf(`\0${name}\0`) + 1, at);
    table.writeUInt32LE(values[name] ?? 0, at + 4);
    table.writeUInt16LE(section, at + 14);
  }
  return table;
}
