/** Draws docs/pictures/flash.svg: a device's flash during an update, to scale, with each piece where the Updater model places it. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { coreCapabilities } from '../../src/core/device-model/cores.ts';
import { announcedSize, type StagingArea, stagingFor, type Transport } from '../../src/core/device-model/staging.ts';
import { flashLayoutByName } from '../../src/core/firmware/flash-layout.ts';

/** Path of the picture. */
export const flashPicturePath = fileURLToPath(new URL('flash.svg', import.meta.url));

const title =
  'The flash during an update: the present sketch from 0, the staged update, the filesystem, and what eboot writes';
const kb = 1024;
const flashKb = 1024;
const presentKb = 280;
const newKb = 560;
const compressedKb = 392;

const margin = 24;
const pixelsPerKb = 0.89;
const width = 960;
const barHeight = 36;
const rowHeight = 100;
const firstRowY = 84;

/** Bar and border colors for the light and dark color schemes. */
const looks = {
  free: ['#ffffff', '#b4bcc8', '#22272e', '#4a5464'],
  old: ['#e4e7ec', '#7a8494', '#3a424e', '#8a94a6'],
  new: ['#d6ecfb', '#1976d2', '#123a5c', '#5aa9ee'],
  packed: ['#d9f2df', '#2e7d32', '#143d1d', '#66bb6a'],
  files: ['#fff1d6', '#c77f00', '#4a3410', '#e0a030'],
  kept: ['#fbdcdc', '#c62828', '#5a1f1f', '#ef7070'],
} as const;

/** A range of flash in KB; the end is exclusive. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly look: keyof typeof looks;
  readonly words?: string;
}

interface Row {
  readonly words: string;
  readonly pieces: readonly Piece[];
  /** Outcome for the beginning of the staged data. */
  readonly overlap?: { readonly from: number; readonly words: string };
}

/** Returns the text of docs/pictures/flash.svg. */
export function flashPicture(): string {
  const area = stagingArea();
  const present: Piece = { from: 0, to: presentKb, look: 'old', words: 'present sketch, running' };
  const rest: readonly Piece[] = [
    { from: area.fsStart / kb, to: area.fsEnd / kb, look: 'files', words: 'files' },
    { from: area.fsEnd / kb, to: flashKb, look: 'kept' },
  ];
  const raw = stagedPiece(area, 'espota', newKb, { look: 'new', words: 'door.ino.bin.signed' });
  const high = stagedPiece(area, 'espota', compressedKb, { look: 'packed', words: 'door.ino.bin.gz.signed' });
  const low = stagedPiece(area, 'web', compressedKb, { look: 'packed', words: 'door.ino.bin.gz.signed' });
  const copied: Piece = { from: 0, to: newKb, look: 'new', words: 'new sketch' };
  return drawRows([
    {
      words: 'espota and HTTP update announce the size: staged from the top, right below the filesystem',
      pieces: [present, raw, ...rest],
      overlap: { from: raw.from, words: 'eboot writes over this once it has read it' },
    },
    {
      words: 'the same, compressed: it leaves more room, and takes less time on the air',
      pieces: [present, high, ...rest],
    },
    {
      words: 'the web updater learns the size at the end: staged from the bottom, one free sector above the sketch',
      pieces: [present, low, ...rest],
      overlap: {
        from: low.from,
        words: 'eboot writes over this while it inflates it: what it has still to read must not be reached',
      },
    },
    {
      words: 'after the restart eboot copies or inflates what is staged to 0, sector by sector, and starts it',
      pieces: [copied, ...rest],
    },
  ]);
}

/** A device with 1 MB of flash, 64 KB of it for files, where space is tight. */
function stagingArea(): StagingArea {
  const capabilities = coreCapabilities('3.1.2');
  const layout = flashLayoutByName('1m64', '3.1.2');
  if (capabilities === undefined || layout === undefined) throw new Error('core 3.1.2 has no layout 1m64');
  const { fsStart, fsEnd } = layout;
  return { capabilities, sketchSizeBytes: presentKb * kb, fsStart, fsEnd, atomicFs: false };
}

function stagedPiece(area: StagingArea, transport: Transport, sizeKb: number, look: Omit<Piece, 'from' | 'to'>): Piece {
  const staging = stagingFor(area, 'sketch', announcedSize(area, transport, 'sketch', sizeKb * kb));
  if (staging.outcome !== 'fits') throw new Error(`${sizeKb} KB do not fit`);
  const from = staging.address / kb;
  return { ...look, from, to: from + sizeKb };
}

function drawRows(rows: readonly Row[]): string {
  const bottom = firstRowY + rows.length * rowHeight;
  const height = bottom + 32;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">
<style>
${style()}
</style>
<rect class="page" width="${width}" height="${height}"/>
<defs><marker id="h" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="9" markerHeight="9" orient="auto"><path class="head" d="M0,0 L10,5 L0,10 z"/></marker></defs>
<text class="t" x="${margin}" y="30">A flash of 1 MB (layout 1m64) while a sketch of ${presentKb} KB is replaced by one of ${newKb} KB, to scale</text>
${rows.map(drawRow).join('\n')}
${drawKept(bottom)}
</svg>
`;
}

function style(): string {
  const rules = (shade: 0 | 2) =>
    Object.entries(looks)
      .map(([name, colors]) => `.${name}{fill:${colors[shade]};stroke:${colors[shade + 1]}}`)
      .join(' ');
  return `text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:13px}
.page{fill:#ffffff} text{fill:#1d2530} .s{fill:#4a5464} .t{font-size:14px;font-weight:600} .m{text-anchor:middle} .e{text-anchor:end}
.a{fill:none;stroke:#4a5464;stroke-width:1.6} .head{fill:#4a5464}
${rules(0)}
@media (prefers-color-scheme:dark){.page{fill:#161b22} text{fill:#e6edf3} .s{fill:#a9b4c2} .a{stroke:#a9b4c2} .head{fill:#a9b4c2}
${rules(2)}}`;
}

function drawRow({ words, pieces, overlap }: Row, index: number): string {
  const y = rowY(index);
  const all: readonly Piece[] = [{ from: 0, to: flashKb, look: 'free' }, ...pieces];
  return [
    `<text class="s" x="${margin}" y="${y - 10}">${words}</text>`,
    ...all.map((piece) => drawPiece(piece, y)),
    ...(overlap === undefined ? [] : [drawOverlap(overlap.from, overlap.words, y)]),
  ].join('\n');
}

function drawPiece({ from, to, look, words }: Piece, y: number): string {
  const bar = `<rect class="${look}" x="${x(from)}" y="${y}" width="${x(to - from) - margin}" height="${barHeight}" stroke-width="1.4"/>`;
  return words === undefined ? bar : `${bar}<text class="m" x="${x((from + to) / 2)}" y="${y + 23}">${words}</text>`;
}

/** Draws the part of the staged data that eboot overwrites while reading it. */
function drawOverlap(from: number, words: string, y: number): string {
  return `<path class="a" d="M${x(from) + 1},${y + barHeight + 4} v5 H${x(newKb)} v-5"/>
<text class="s" x="${x(from)}" y="${y + barHeight + 24}">${words}</text>`;
}

function drawKept(bottom: number): string {
  const from = x(flashKb - 10);
  return `<path class="a" d="M${from - 8},${bottom + 4} H${from} V${bottom - rowHeight + barHeight + 4}" marker-end="url(#h)"/>
<text class="s e" x="${from - 14}" y="${bottom + 8}">EEPROM, RF calibration and Wi-Fi settings: stay as they are</text>`;
}

function rowY(index: number): number {
  return firstRowY + index * rowHeight;
}

function x(positionKb: number): number {
  return Math.round((margin + positionKb * pixelsPerKb) * 10) / 10;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(flashPicturePath, flashPicture());
