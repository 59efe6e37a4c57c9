import { join } from 'node:path';
import { readOptionalFile } from '../../files/read.ts';

/**
 * Returns the board of an arduino-cli build: the third part of the FQBN in `build.options.json`, such as `d1_mini` for
 * `esp8266:esp8266:d1_mini:eesz=4M2M`. Returns undefined for a folder of a different build tool.
 */
export async function arduinoBoard(buildFolder: string): Promise<string | undefined> {
  const text = await readOptionalFile(join(buildFolder, 'build.options.json'));
  const fqbn = text && fqbnIn(Buffer.from(text).toString('utf8'));
  return /^[\w.-]+:[\w.-]+:([\w.-]+)(?:$|:)/.exec(fqbn ?? '')?.[1];
}

function fqbnIn(text: string): string | undefined {
  try {
    const options: unknown = JSON.parse(text);
    const hasFqbn = typeof options === 'object' && options !== null && 'fqbn' in options;
    return hasFqbn && typeof options.fqbn === 'string' ? options.fqbn : undefined;
  } catch {
    return undefined;
  }
}
