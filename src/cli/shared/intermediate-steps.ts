import { dirname, join } from 'node:path';
import { type IntermediateProposal, intermediateSketch } from '../../core/preflight/intermediate.ts';
import { detectBuildSystem } from '../../project/build/detect.ts';
import type { Io } from '../io.ts';
import type { Report } from '../output/report.ts';

interface IntermediateContext {
  /** File that the user wants to send. */
  readonly target: string;
  /** Folder of the sketch or platformio.ini. */
  readonly source: string;
  readonly board: string | undefined;
}

/** Returns what the intermediate sketch makes possible, and the commands that build it and send both hops. */
export function intermediateSteps(
  { mostBytes, lastArtifact }: IntermediateProposal,
  { target, source, board }: IntermediateContext,
  io: Io,
  report: Report,
): readonly string[] {
  const template = report.path(join(dirname(dirname(io.self.cli)), 'templates', 'sketches', intermediateSketch));
  const file = report.path(target);
  const isPlatformio = detectBuildSystem(source) === 'platformio';
  const image = isPlatformio
    ? '.pio/build/intermediate/firmware.bin'
    : `build/intermediate/${intermediateSketch}.ino.bin`;
  const more = isPlatformio
    ? [`mv ${intermediateSketch}/${intermediateSketch}.ino ${intermediateSketch}/main.cpp`]
    : [];
  const compile = isPlatformio
    ? 'ota-hooks build --environment intermediate'
    : `ota-hooks build --source ${intermediateSketch} --fqbn esp8266:esp8266:${board ?? 'BOARD'} -- --output-dir build/intermediate`;
  return [
    `The update is possible in two hops: first a small sketch of at most ${mostBytes} bytes with its signature, then ${lastArtifact}.`,
    `docs/upload.md, "Two hops", describes the sketch${isPlatformio ? ' and its environment in platformio.ini' : ''}. The commands are:`,
    `cp -r ${template} .`,
    ...more,
    `cp ${intermediateSketch}/arduino_secrets.example.h ${intermediateSketch}/arduino_secrets.h`,
    compile,
    `ota-hooks upload ${file} --via ${image}`,
  ];
}
