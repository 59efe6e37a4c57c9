import { resolve } from 'node:path';
import { digests } from '../../../core/pack/digests.ts';
import { readNamedFile } from '../../../files/read.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { outputLine } from '../../output/terminal-text.ts';
import { deviceFacts } from '../../shared/device-facts.ts';
import { prepareBytes } from '../../shared/file-to-check.ts';
import { namedKeys, projectKeys } from '../../shared/known-keys.ts';
import { collect } from '../../shared/option-values.ts';
import { projectOptions } from '../../shared/project-options.ts';
import { readProjectSettings } from '../../shared/project-settings.ts';
import { flashPicture } from './flash-picture.ts';
import { inspectionDocument, inspectionSheet } from './inspection.ts';

const inspectCommand = (declaration: Declaration) =>
  command(declaration, 'inspect <file>', 'Show details of a firmware or filesystem image', [
    'ota-hooks inspect build/sketch.ino.bin.gz.signed --public-key public.key',
    'ota-hooks inspect unknown.bin --json',
  ])
    .option('--public-key <file>', 'Additional public key for checking the signature (repeatable)', collect, [])
    .addOption(projectOptions.elf)
    .addOption(projectOptions.device)
    .addOption(projectOptions.source)
    .option('--config <file>', 'Configuration file (default: ota.config.json in the source folder or a parent)');

type InspectOptions = OptionsOf<typeof inspectCommand>;

export function declareInspect(declaration: Declaration) {
  return inspectCommand(declaration).action((file, options) => inspect(file, options, declaration.io));
}

/** Describes a .bin file and the flash of a device that installs it. */
export async function inspect(file: string, options: InspectOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  const path = resolve(io.cwd, file);
  const settings = await readProjectSettings({ source: options.source, config: options.config }, io, report);
  const knownKeys = [...(await namedKeys(options, io)), ...(await projectKeys(settings, io))];
  const facts = await deviceFacts({ device: options.device, reference: [] }, settings, io);
  const bytes = await readNamedFile(path, 'file to inspect');
  const prepared = await prepareBytes(path, bytes, { elf: options.elf, kind: undefined, knownKeys }, io);
  const { release, build, firmware } = prepared;
  const [artifact] = release.artifacts;
  const picture = artifact && flashPicture(release, artifact, facts);
  const inspection = { firmware, release, picture, sourceCommit: build?.sourceCommit };
  if (options.json === true)
    report.result('inspect', { file: path, ...digests(bytes), ...inspectionDocument(inspection) });
  else io.stdout.write(inspectionSheet(report.path(path), inspection).map(outputLine));
}
