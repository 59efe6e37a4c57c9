import { roundUpToSector } from '../../../core/device-model/flash.ts';
import { type FlashLayout, flashLayoutByBorders, flashLayoutByName } from '../../../core/firmware/flash-layout.ts';
import type { DeviceFacts } from '../../../core/model/device-facts.ts';
import { knownDevice, sketchStaging } from '../../../core/preflight/device.ts';
import type { Release, ReleaseArtifact } from '../../../core/preflight/release.ts';

/** A flash range, as offsets from the start of flash; `to` is exclusive. */
interface FlashRange {
  readonly from: number;
  readonly to: number;
}

/** Flash ranges used during a sketch update, and the assumptions behind them. */
export interface FlashPicture {
  readonly flashSizeBytes: number;
  readonly layout: string | undefined;
  readonly runningSketch: FlashRange;
  /** Undefined if the update does not fit. */
  readonly staged: FlashRange | undefined;
  readonly filesystem: FlashRange;
  /** Range that eboot writes when it copies or inflates the update. */
  readonly written: FlashRange;
  /** Part of the staged update that eboot overwrites before inflating it. */
  readonly overwritten: FlashRange | undefined;
  readonly assumptions: readonly string[];
}

/** Default flash layout in the core's boards.txt, by flash size in bytes. */
const usualLayouts: ReadonlyMap<number, string> = new Map([
  [512 * 1024, '512k32'],
  [1024 * 1024, '1m64'],
  [2 * 1024 * 1024, '2m64'],
  [4 * 1024 * 1024, '4m2m'],
  [8 * 1024 * 1024, '8m6m'],
  [16 * 1024 * 1024, '16m14m'],
]);

/**
 * Computes the flash picture. Uses the device's flash layout, or else the layout in the image's ELF, or else the default layout for the
 * flash size.
 *
 * @returns undefined for a filesystem, or if no layout is available
 */
export function flashPicture(
  { image }: Release,
  artifact: ReleaseArtifact,
  facts: DeviceFacts,
): FlashPicture | undefined {
  if (image.kind !== 'sketch') return undefined;
  const assumptions: string[] = [];
  const layout = settleLayout(image, facts, assumptions);
  if (layout === undefined) return undefined;
  const sketchSizeBytes = facts.sketchSizeBytes ?? image.sketchSizeBytes ?? image.contentBytes;
  if (facts.sketchSizeBytes === undefined) assumptions.push('the running sketch is as large as the new sketch');
  if (facts.transport === undefined) assumptions.push('the update is sent by espota or HTTP');
  const { fsStart, fsEnd } = layout;
  const transport = facts.transport ?? 'espota';
  const device = knownDevice({ ...facts, fsStart, fsEnd, sketchSizeBytes, transport });
  const stagedAt = sketchStaging(device, transport, artifact.sizeBytes) ?? 0;
  const present = { from: 0, to: roundUpToSector(sketchSizeBytes) };
  const written = { from: 0, to: roundUpToSector(artifact.inflate?.sizeBytes ?? artifact.sizeBytes) };
  const lowest = artifact.inflate?.lowestStaging;
  const needed = device.capabilities?.erasesBeforeInflating === true ? lowest?.erasesFirst : lowest?.inflatesFirst;
  return {
    flashSizeBytes: facts.chipSizeBytes ?? layout.flashSizeBytes ?? image.flashSizeBytes ?? fsEnd,
    layout: layout.name,
    runningSketch: present,
    staged: stagedAt < present.to ? undefined : { from: stagedAt, to: stagedAt + roundUpToSector(artifact.sizeBytes) },
    filesystem: { from: fsStart, to: fsEnd },
    written,
    overwritten: stagedAt < (needed ?? 0) ? { from: stagedAt, to: written.to } : undefined,
    assumptions,
  };
}

function settleLayout(image: Release['image'], facts: DeviceFacts, assumptions: string[]): FlashLayout | undefined {
  if (facts.fsStart !== undefined) {
    if (facts.fsEnd === undefined) assumptions.push('the filesystem is not shown, because its end is unknown');
    return flashLayoutByBorders(facts.fsStart, facts.fsEnd ?? facts.fsStart);
  }
  if (image.layout !== undefined) return flashLayoutByBorders(image.layout.fsStart, image.layout.fsEnd);
  const flashSizeBytes = facts.chipSizeBytes ?? image.flashSizeBytes;
  const usual = flashSizeBytes === undefined ? undefined : usualLayouts.get(flashSizeBytes);
  if (usual === undefined) return undefined;
  assumptions.push(`the flash layout is the default for the flash size, ${usual}`);
  return flashLayoutByName(usual, undefined);
}

const cells = 64;

/** Draws the flash picture as text: a row for the contents, a row for the ranges that eboot writes, and a legend. */
export function drawFlash(picture: FlashPicture): readonly string[] {
  const { flashSizeBytes, runningSketch, staged, filesystem, written, overwritten } = picture;
  const present = new Array<string>(cells).fill('·');
  const paint = (row: string[], { from, to }: FlashRange, letter: string): void => {
    const first = Math.floor((from / flashSizeBytes) * cells);
    const last = Math.min(cells, Math.max(first + 1, Math.round((to / flashSizeBytes) * cells)));
    if (to > from) row.fill(letter, first, last);
  };
  paint(present, filesystem, 'F');
  paint(present, { from: filesystem.to, to: flashSizeBytes }, 'E');
  if (staged !== undefined) paint(present, staged, 'u');
  paint(present, runningSketch, 's');
  const writes = new Array<string>(cells).fill(' ');
  paint(writes, written, '^');
  if (overwritten !== undefined) paint(writes, overwritten, 'x');
  if (written.to > filesystem.from) paint(writes, { from: filesystem.from, to: written.to }, '!');
  return [`|${present.join('')}|`, `|${writes.join('')}|`, ...legend(picture)];
}

function legend(picture: FlashPicture): string[] {
  const { flashSizeBytes, runningSketch, staged, filesystem, written, overwritten, assumptions } = picture;
  const lines = [
    `s  running sketch ${range(runningSketch)}`,
    staged === undefined ? 'u  the update does not fit' : `u  update, staged at ${range(staged)}`,
    filesystem.to > filesystem.from ? `F  filesystem ${range(filesystem)}` : 'F  no filesystem',
    `E  EEPROM, RF calibration, Wi-Fi ${range({ from: filesystem.to, to: flashSizeBytes })}`,
    `^  written by eboot ${range(written)}`,
  ];
  if (overwritten !== undefined)
    lines.push('x  staged data overwritten before eboot inflates it: the sketch would be destroyed');
  if (written.to > filesystem.from) lines.push('!  part of the filesystem that the update overwrites');
  return assumptions.length === 0 ? lines : [...lines, `assumptions: ${assumptions.join('; ')}`];
}

function range({ from, to }: FlashRange): string {
  return `${from / 1024}-${to / 1024} KB`;
}
