import type { UpdateStep } from '../../../delivery/update-device.ts';
import type { Io } from '../../io.ts';
import { fitted, sizeOf } from '../../output/bar.ts';
import type { Report } from '../../output/report.ts';
import { shortened } from '../../output/shortened.ts';
import { clearedFrom, outputLine } from '../../output/terminal-text.ts';
import { attemptText, phaseText, sentShare } from '../../shared/updates/progress-text.ts';
import type { UpdateView } from '../../shared/updates/update-one.ts';

/** Progress display during device updates. */
export interface FleetView extends UpdateView {
  readonly close: () => void;
}

/** Rows of the terminal that stay free for the line about further devices, and for a result with its hint. */
const freeRows = 4;
const barColumns = 24;
const redrawMs = 100;

/**
 * Creates the progress display. A terminal shows a bar for each active device. A log contains one line at the start and one at the end of
 * each update.
 */
export function makeFleetView(devices: readonly string[], io: Io, report: Report, isQuiet: boolean): FleetView {
  const width = Math.min(28, Math.max(...devices.map((device) => device.length)));
  return io.fancy && !isQuiet ? barView(width, io) : lineView(width, report);
}

function lineView(width: number, report: Report): FleetView {
  return {
    begin: (device, what) => report.say(`${named(device, width)}  ${what}`),
    step: () => undefined,
    end: (device, words, hint) => {
      for (const line of finalLines(named(device, width), words, hint)) report.say(line);
    },
    close: () => undefined,
  };
}

function barView(width: number, io: Io): FleetView {
  const live = new Map<string, string>();
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;
  // Each redraw moves the cursor to the first line and overwrites the previous lines.
  const draw = (finished: readonly string[] = []) => {
    clearTimeout(timer);
    timer = undefined;
    const mostLines = Math.max(1, sizeOf(io.stderr).rows - freeRows);
    const shown = [...live].slice(0, mostLines);
    const lines = shown.map(([device, text]) => fitted(`${named(device, width)}  ${text}`, io.stderr));
    if (live.size > mostLines) lines.push(`… and ${live.size - mostLines} more`);
    io.stderr.write([clearedFrom(drawn), ...[...finished, ...lines].map(outputLine)]);
    drawn = lines.length;
  };
  const drawSoon = () => {
    timer ??= setTimeout(() => draw(), redrawMs);
  };
  return {
    begin: (device, what) => {
      live.set(device, what);
      drawSoon();
    },
    step: (device, step) => {
      live.set(device, stepText(step));
      drawSoon();
    },
    end: (device, words, hint) => {
      live.delete(device);
      draw(finalLines(named(device, width), words, hint));
    },
    close: () => {
      live.clear();
      draw();
    },
  };
}

function stepText(step: UpdateStep): string {
  const again = attemptText(step);
  if (step.phase !== 'sending') return `${phaseText(step.phase)}${again}`;
  const share = sentShare(step);
  const filled = Math.floor(share * barColumns);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(barColumns - filled)}`;
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  return `[${bar}] ${percent}% of ${Math.ceil(step.totalBytes / 1024)} KB${again}`;
}

function finalLines(device: string, words: string, hint: string | undefined): readonly string[] {
  return [`${device}  ${words}`, ...(hint === undefined ? [] : [`  ${hint}`])];
}

function named(device: string, width: number): string {
  return shortened(device, width).padEnd(width);
}
