import { compilersInElf } from '../../../core/firmware/elf-compilers.ts';
import { billSuffix } from '../../../core/model/artifact.ts';
import type { Manifest } from '../../../core/model/manifest.ts';
import { billOfMaterials } from '../../../core/pack/bill-of-materials.ts';
import { writeAtomically } from '../../../files/write.ts';
import { buildParts } from '../../../project/build/build-parts.ts';
import type { Report } from '../../output/report.ts';

/**
 * Writes the bill of materials of an image beside it.
 *
 * @param path path of the image
 * @throws OtaError FILE_UNWRITABLE
 */
export async function writeBill(
  path: string,
  manifest: Manifest,
  elf: Uint8Array | undefined,
  report: Report,
): Promise<void> {
  const isSketch = manifest.image.kind === 'sketch';
  const parts = isSketch ? await buildParts(path) : undefined;
  if (isSketch && parts === undefined) {
    report.warn(
      `${report.path(path)}: the libraries are unknown, because neither arduino-cli nor the PlatformIO hook has built the image in this folder`,
    );
  }
  const bill = billOfMaterials(manifest, parts, isSketch && elf !== undefined ? compilersInElf(elf) : []);
  await writeAtomically(path + billSuffix, `${JSON.stringify(bill, null, 2)}\n`);
  report.say(`Bill of materials: ${report.path(path + billSuffix)}`);
}
