import { dirname, resolve } from 'node:path';
import { defaultProjectFolder } from '../../project/build/project-folder.ts';
import { type ProjectOptions, type ProjectSettings, projectSettings } from '../../project/config/settings.ts';
import type { Io } from '../io.ts';
import type { Report } from '../output/report.ts';

/**
 * Resolves the settings of a project: of the source folder, or else of {@link defaultProjectFolder}. Reports the configuration, or the
 * project, if it is not in the folder that the user expects.
 *
 * @param expected source folder that the user passed; by default, the source folder of the options
 * @throws OtaError those thrown by {@link projectSettings}
 */
export async function readProjectSettings(
  options: ProjectOptions,
  io: Io,
  report: Report,
  expected = options.source,
): Promise<ProjectSettings> {
  const given = options.source ?? defaultProjectFolder(io.cwd, io);
  const settings = await projectSettings({ ...options, source: given }, io.cwd, io);
  const { configPath, source } = settings;
  const expectedFolder = resolve(io.cwd, expected ?? '.');
  if (configPath === undefined) {
    if (source !== expectedFolder) report.say(`Project: ${source}`);
  } else if (dirname(configPath) !== expectedFolder && options.config === undefined) {
    report.say(`Configuration: ${configPath}`);
  }
  return settings;
}
