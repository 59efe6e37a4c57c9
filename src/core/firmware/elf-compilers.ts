import { unloadedSections } from './elf.ts';

/** Compiler that has compiled at least one part of a program. */
export interface Compiler {
  readonly name: string;
  readonly version: string;
}

/**
 * Returns the compilers that have left their names in an ELF file: GCC writes a line such as `GCC: (GNU) 10.3.0` to the section `.comment`
 * of each object file, and the linker keeps one of each. The SDK and the libraries of the core were compiled earlier, with other versions.
 */
export function compilersInElf(elf: Uint8Array): readonly Compiler[] {
  const versions = unloadedSections(elf).flatMap((bytes) => {
    const text = Buffer.from(bytes).toString('latin1');
    return [...text.matchAll(/(?:^|\0)GCC: \([^()\0]*(?:\([^()\0]*\)[^()\0]*)*\) (\d[^\0\s]*)/g)].map(
      ([, version]) => version,
    );
  });
  return [...new Set(versions)]
    .flatMap((version) => (version === undefined ? [] : [{ name: 'GCC', version }]))
    .sort(byVersion);
}

function byVersion(a: Compiler, b: Compiler): number {
  return a.version < b.version ? -1 : 1;
}
