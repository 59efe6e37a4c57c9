import { InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { flashModes } from '../../core/firmware/flash-header.ts';
import type { FlashMode } from '../../core/model/artifact.ts';

/** Declares `--flash-mode`. The value is case-insensitive, because board menus and build logs show the modes in uppercase. */
export function flashModeOption(description: string) {
  return new Option('--flash-mode <mode>', `${description} (choices: ${flashModes.join(', ')})`).argParser(flashMode);
}

function flashMode(value: string): FlashMode {
  const mode = flashModes.find((name) => name === value.toLowerCase());
  if (mode === undefined) throw new InvalidArgumentError('must be qio, qout, dio or dout');
  return mode;
}
