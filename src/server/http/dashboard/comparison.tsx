import type { Manifest, ManifestImage } from '../../../core/model/manifest.ts';
import { sizeText } from '../../../core/model/quantity-text.ts';
import type { ReleaseRecord } from '../../storage/records.ts';
import { releasePath } from './paths.ts';

interface ComparisonProps {
  readonly image: ReleaseRecord;
  /** Image of an earlier version for the same kind and board. */
  readonly previous: ReleaseRecord;
}

/** Shows what a release changes for the devices that run an earlier one. */
export function Comparison({ image, previous }: ComparisonProps) {
  const [after, before] = [factsOf(image.manifest), factsOf(previous.manifest)];
  const facts = [...after.keys()].filter((fact) => after.get(fact) !== undefined || before.get(fact) !== undefined);
  return (
    <section class="scroll" aria-label={`Comparison with ${previous.version}`} tabindex={0}>
      <h3>
        Compared with <a href={releasePath(previous.project, previous.version)}>{previous.version}</a>
      </h3>
      <table>
        <caption class="hidden">Comparison</caption>
        <thead>
          <tr>
            <th scope="col">Property</th>
            <th scope="col">{previous.version}</th>
            <th scope="col">{image.version}</th>
          </tr>
        </thead>
        <tbody>
          {facts.map((fact) => {
            const [old, young] = [before.get(fact) ?? 'none', after.get(fact) ?? 'none'];
            return (
              <tr>
                <th scope="row">{fact}</th>
                <td>{old}</td>
                <td>{old === young ? young : <strong>{young} (changed)</strong>}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** Returns the properties that decide whether devices can install a build, and what is left of their flash. */
function factsOf({ image, embeddedKeys, artifacts }: Manifest): ReadonlyMap<string, string | undefined> {
  const smallest = artifacts.toSorted((a, b) => a.sizeBytes - b.sizeBytes)[0];
  const sketchBytes = image.sketchSizeBytes ?? image.contentBytes;
  return new Map([
    ['Image', sizeText(image.sizeBytes)],
    ['Smallest artifact', smallest && sizeText(smallest.sizeBytes)],
    ['Sketch in flash', image.kind === 'sketch' ? sizeText(sketchBytes) : undefined],
    ['Free space for updates', freeText(image, sketchBytes)],
    ['Core', image.core],
    ['Flash', image.flashSizeBytes === undefined ? undefined : `${sizeText(image.flashSizeBytes)}, ${image.flashMode}`],
    ['Filesystem', filesystemText(image)],
    ['Embedded keys', embeddedKeys.map((key) => `${key.slice(0, 16)}…`).join(', ') || undefined],
  ]);
}

const sectorBytes = 4096;

/** `ESP.getFreeSketchSpace()` for this layout: from the sector after the sketch to the start of the filesystem. */
function freeText({ kind, layout }: ManifestImage, sketchBytes: number): string | undefined {
  if (kind !== 'sketch' || layout === undefined) return undefined;
  return sizeText(Math.max(0, layout.fsStart - Math.ceil(sketchBytes / sectorBytes) * sectorBytes));
}

function filesystemText({ layout, filesystem }: ManifestImage): string | undefined {
  if (filesystem !== undefined) return `${filesystem.type}, ${sizeText(filesystem.usedBytes)} used`;
  if (layout === undefined) return undefined;
  const hex = (offset: number) => `0x${offset.toString(16)}`;
  return `${hex(layout.fsStart)} to ${hex(layout.fsEnd)}`;
}
