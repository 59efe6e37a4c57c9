import { sizeText } from '../../../core/model/quantity-text.ts';
import type { StoredReport } from '../../storage/records.ts';

interface FlashMapProps {
  readonly report: StoredReport;
  /** Location of the filesystem, from the manifest of the running release. */
  readonly layout: { readonly fsStart: number; readonly fsEnd: number } | undefined;
}

const width = 640;
const height = 28;
const sectorBytes = 4096;

interface Part {
  readonly name: string;
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

/** Draws the flash of a device to scale: the sketch, the space for updates, the filesystem, and what is not known. */
export function FlashMap({ report: { sketchSizeBytes, freeSpaceBytes, chipSizeBytes }, layout }: FlashMapProps) {
  if (sketchSizeBytes === undefined || freeSpaceBytes === undefined || chipSizeBytes === undefined) {
    return <p class="quiet">The device has not reported the sizes of its flash yet.</p>;
  }
  const sketchEnd = Math.ceil(sketchSizeBytes / sectorBytes) * sectorBytes;
  const parts: readonly Part[] = [
    { name: 'Sketch', kind: 'up-to-date', start: 0, end: sketchEnd },
    { name: 'Space for updates', kind: 'updating', start: sketchEnd, end: sketchEnd + freeSpaceBytes },
    ...(layout === undefined || layout.fsEnd <= layout.fsStart
      ? []
      : [{ name: 'Filesystem', kind: 'pending', start: layout.fsStart, end: layout.fsEnd }]),
  ].filter(({ start, end }) => end > start && end <= chipSizeBytes);
  const text = parts.map(({ name, start, end }) => `${name} ${sizeText(end - start)}`).join(', ');
  const x = (bytes: number) => (width * bytes) / chipSizeBytes;
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-labelledby="flash-title flash-text">
        <title id="flash-title">Flash map</title>
        <desc id="flash-text">{`Flash of ${sizeText(chipSizeBytes)}: ${text}.`}</desc>
        <rect class="track" width={width} height={height} />
        {parts.map(({ kind, start, end }) => (
          <rect class={`fill ${kind}`} x={x(start)} width={Math.max(1, x(end) - x(start))} height={height} />
        ))}
      </svg>
      <figcaption>
        <table class="rows">
          <caption class="hidden">Parts of the flash</caption>
          <thead>
            <tr>
              <th scope="col">Part</th>
              <th scope="col">Size</th>
              <th scope="col">Flash offsets</th>
            </tr>
          </thead>
          <tbody>
            {parts.map(({ name, kind, start, end }) => (
              <tr>
                <th scope="row">
                  <span class={`dot ${kind}`} aria-hidden="true" /> {name}
                </th>
                <td class="number" data-label="Size">
                  {sizeText(end - start)}
                </td>
                <td data-label="Flash offsets">
                  <code>{`${hex(start)} to ${hex(end)}`}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </figcaption>
    </figure>
  );
}

function hex(bytes: number): string {
  return `0x${bytes.toString(16).toUpperCase()}`;
}
