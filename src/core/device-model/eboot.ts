import type { CoreCapabilities } from './cores.ts';
import { eraseSector, programFlash, readFlash, roundUpToSector, sectorBytes } from './flash.ts';
import type { EbootCommand } from './updater.ts';
import { UzlibInflater } from './uzlib-inflate.ts';

/** Results of `copy_raw` in eboot.c. Result 9 means that the comparison in core 2.7.2 failed. */
export const copyCodes = {
  copied: 0,
  unaligned: 1,
  eraseFailed: 2,
  readFailed: 3,
  writeFailed: 4,
  badGzipHeader: 5,
  badDeflate: 6,
  differs: 9,
} as const;

type CopyCode = (typeof copyCodes)[keyof typeof copyCodes];

/** Result of running an eboot command. */
export interface CopyRun {
  readonly code: CopyCode;
  /**
   * Number of bytes to write. For gzip, this is the last word of the staged bytes as a signed number. eboot writes nothing if the number
   * is not positive.
   */
  readonly wantedBytes: number;
  /** Number of bytes erased, in whole sectors, starting at the destination. */
  readonly touchedBytes: number;
  /** First input sector that was erased before it was read; undefined if there was no such sector. */
  readonly overwrittenSector: number | undefined;
}

/**
 * Runs an eboot command (`main` and `copy_raw` in eboot.c): copies or inflates the staged update, sector by sector. Only core 2.7.2
 * compares the result with the staged bytes. The comparison fails if the copy has overwritten staged bytes.
 *
 * @param flash content of the flash chip, modified in place
 * @param capabilities capabilities of the core whose eboot is in flash: the core of the sketch before the update
 */
export function runEboot(flash: Uint8Array, command: EbootCommand, capabilities: CoreCapabilities): CopyRun {
  const run = copyRaw(flash, command, capabilities);
  if (run.code !== copyCodes.copied || !capabilities.comparesAfterCopy) return run;
  return { ...run, code: compareRaw(flash, command, capabilities) };
}

function copyRaw(flash: Uint8Array, command: EbootCommand, capabilities: CoreCapabilities): CopyRun {
  const { destination } = command;
  let touchedBytes = 0;
  let overwrittenSector: number | undefined;
  const content = openContent(flash, command, capabilities, (address) => {
    const isErased = address >= destination && address < destination + touchedBytes;
    if (isErased) overwrittenSector ??= address / sectorBytes;
  });
  let code = content.problem;
  const sector = new Uint8Array(sectorBytes);
  for (let left = content.wantedBytes; left > 0 && code === copyCodes.copied; left -= sectorBytes) {
    const target = destination + touchedBytes;
    const read = (): CopyCode => content.read(sector, Math.min(left, sectorBytes));
    const erase = (): CopyCode => {
      if (!eraseSector(flash, target)) return copyCodes.eraseFailed;
      touchedBytes += sectorBytes;
      return copyCodes.copied;
    };
    const write = (): CopyCode => (programFlash(flash, target, sector) ? copyCodes.copied : copyCodes.writeFailed);
    code = firstProblem(capabilities.erasesBeforeInflating ? [erase, read, write] : [read, erase, write]);
  }
  return { code, wantedBytes: content.wantedBytes, touchedBytes, overwrittenSector };
}

/** Compares the copy with the staged bytes, like `copy_raw` with `verify` set. The copy may have overwritten some of the staged bytes. */
function compareRaw(flash: Uint8Array, command: EbootCommand, capabilities: CoreCapabilities): CopyCode {
  const content = openContent(flash, command, capabilities, () => undefined);
  const sector = new Uint8Array(sectorBytes);
  const copied = new Uint8Array(sectorBytes);
  let code = content.problem;
  for (let done = 0; done < content.wantedBytes && code === copyCodes.copied; done += sectorBytes) {
    code = content.read(sector, Math.min(content.wantedBytes - done, sectorBytes));
    if (code !== copyCodes.copied) break;
    if (!readFlash(flash, command.destination + done, copied)) code = copyCodes.writeFailed;
    else if (Buffer.compare(sector, copied) !== 0) code = copyCodes.differs;
  }
  return code;
}

function firstProblem(steps: readonly (() => CopyCode)[]): CopyCode {
  for (const step of steps) {
    const code = step();
    if (code !== copyCodes.copied) return code;
  }
  return copyCodes.copied;
}

/** Reader for the staged bytes, raw or inflated, sector by sector. */
interface StagedContent {
  readonly problem: CopyCode;
  readonly wantedBytes: number;
  /** Fills the first `count` bytes of the sector. */
  read(sector: Uint8Array, count: number): CopyCode;
}

function openContent(
  flash: Uint8Array,
  { source, destination, sizeBytes }: EbootCommand,
  capabilities: CoreCapabilities,
  onRead: (address: number) => void,
): StagedContent {
  if (source % sectorBytes !== 0 || destination % sectorBytes !== 0) return unreadable(copyCodes.unaligned);
  const isGzip = capabilities.gzip && flash[source] === 0x1f && flash[source + 1] === 0x8b;
  return isGzip ? openGzip(flash, source, sizeBytes, onRead) : openRaw(flash, source, sizeBytes, onRead);
}

function openRaw(
  flash: Uint8Array,
  source: number,
  sizeBytes: number,
  onRead: (address: number) => void,
): StagedContent {
  let address = source;
  return {
    problem: copyCodes.copied,
    wantedBytes: roundUpToSector(sizeBytes) | 0,
    read(sector) {
      onRead(address);
      if (!readFlash(flash, address, sector)) return copyCodes.readFailed;
      address += sectorBytes;
      return copyCodes.copied;
    },
  };
}

function openGzip(
  flash: Uint8Array,
  source: number,
  sizeBytes: number,
  onRead: (address: number) => void,
): StagedContent {
  let address = source;
  const inflater = new UzlibInflater((block) => {
    onRead(address);
    // A read past the end of the chip fails. eboot ignores the failure, and the block keeps its old content.
    readFlash(flash, address, block);
    address += block.length;
  });
  const wantedBytes = signedWordAt(flash, source + sizeBytes - 4);
  if (!inflater.parseHeader()) return unreadable(copyCodes.badGzipHeader);
  return {
    problem: copyCodes.copied,
    wantedBytes,
    read(sector, count) {
      if (inflater.inflate(sector.subarray(0, count)) === 'broken') return copyCodes.badDeflate;
      sector.fill(0xff, count);
      return copyCodes.copied;
    },
  };
}

function unreadable(problem: CopyCode): StagedContent {
  return { problem, wantedBytes: 0, read: () => problem };
}

function signedWordAt(flash: Uint8Array, address: number): number {
  const [a = 0xff, b = 0xff, c = 0xff, d = 0xff] = flash.subarray(address, address + 4);
  return a | (b << 8) | (c << 16) | (d << 24);
}
