import { buildElf } from './elf-builder.ts';
import { buildImage, flashContentAddress, sectionsOf } from './image-builder.ts';

const verifierSymbols = ['_ZN7esp826618updaterSigningHashE', '_ZN7esp826622updaterSigningVerifierE'];
const entryAddress = 0x40100004;

/** A build with two public keys, of which the Updater uses the first. `isStripped` removes the variable that shows this from the ELF. */
export function twoKeyBuild(used: string, unused: string, isStripped = false): { bin: Uint8Array; elf: Uint8Array } {
  const recipe = { entryAddress, flashContent: Buffer.from(`${unused}\0${used}\0`, 'latin1') };
  const keyVariable = '_ZL14signing_pubkey';
  const elf = buildElf({
    entryAddress,
    sections: sectionsOf(recipe),
    symbols: [...verifierSymbols, ...(isStripped ? [] : [keyVariable])],
    values: { [keyVariable]: flashContentAddress + unused.length + 1 },
  });
  return { bin: buildImage(recipe), elf };
}
