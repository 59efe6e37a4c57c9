import { resolve } from 'node:path';
import { digests } from '../../../core/pack/digests.ts';
import { readNamedFile } from '../../../files/read.ts';
import { projectSettings } from '../../../project/config/settings.ts';
import { collect, command, type Declaration } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type OutputOptions } from '../../output/report.ts';
import { deviceFacts } from '../../shared/device-facts.ts';
import { judgeBytes } from '../../shared/file-to-judge.ts';
import { type KnownKeyOptions, namedKeys, projectKeys } from '../../shared/known-keys.ts';
import { flashPicture } from './flash-picture.ts';
import { inspectionDocument, inspectionSheet } from './inspection.ts';

export interface InspectOptions extends OutputOptions, KnownKeyOptions {
  readonly device?: string | undefined;
  readonly elf?: string | undefined;
}

/** Declares the command. */
export function declareInspect(declaration: Declaration) {
  return command(declaration, 'inspect <file>', 'Show details of a firmware or filesystem image', [
    'ota-hooks inspect build/sketch.ino.bin.gz.signed --public-key public.key',
    'ota-hooks inspect unknown.bin --json',
  ])
    .option('--public-key <file>', "Known public key, in addition to the project's (repeatable)", collect, [])
    .option('--elf <file>', 'ELF file (default: beside the image)')
    .option(
      '--device <facts>',
      'JSON file with device facts, or the name of a device in the configuration, to show its flash usage',
    )
    .option('--source <dir>', 'Folder of the sketch or platformio.ini (default: current folder)')
    .option('--config <file>', 'Configuration file (default: ota.config.json in the source folder or a parent)')
    .action((file, options) => inspect(file, options, declaration.io));
}

/** Describes a .bin file, and the flash of a device while it installs that file. */
export async function inspect(file: string, options: InspectOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = resolve(io.cwd, file);
  const knownKeys = [...(await namedKeys(options, io)), ...(await projectKeys(options, io))];
  const settings = await projectSettings({ source: options.source, config: options.config }, io.cwd);
  const facts = await deviceFacts({ device: options.device, reference: [] }, settings, io);
  const bytes = await readNamedFile(path, 'file to inspect');
  const { release, firmware } = await judgeBytes(path, bytes, { elf: options.elf, kind: undefined, knownKeys }, io);
  const [artifact] = release.artifacts;
  const picture = artifact && flashPicture(release, artifact, facts);
  const inspection = { firmware, release, picture };
  if (options.json === true)
    report.result('inspect', { file: path, ...digests(bytes), ...inspectionDocument(inspection) });
  else io.stdout.write(`${inspectionSheet(report.path(path), inspection)}\n`);
}
