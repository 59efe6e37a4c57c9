import { dirname, resolve } from 'node:path';
import { type ProjectOptions, type ProjectSettings, projectSettings } from '../../project/config/settings.ts';
import type { Io } from '../io.ts';
import type { Report } from '../output/report.ts';

/**
 * Resolves the settings of a project. Reports the configuration if it is not in the source folder that the user expects, because its keys
 * then replace those beside the sketch.
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
  const settings = await projectSettings(options, io.cwd, io);
  const { configPath } = settings;
  const isElsewhere = configPath !== undefined && dirname(configPath) !== resolve(io.cwd, expected ?? '.');
  if (isElsewhere && options.config === undefined) report.say(`Configuration: ${configPath}`);
  return settings;
}
