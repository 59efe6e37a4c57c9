import { join } from 'node:path';
import type { DeviceConfig } from '../../core/model/inventory-schema.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readOptionalFile } from '../../files/read.ts';
import { writeAtomically } from '../../files/write.ts';
import { withDevice } from '../../project/config/add-device.ts';
import type { ProjectSettings } from '../../project/config/settings.ts';

/**
 * Checks that no device in the configuration has this name.
 *
 * @throws OtaError DEVICE_NOT_ADDED
 */
export function requireNewName(name: string, { config }: ProjectSettings): void {
  if (!Object.hasOwn(config.devices ?? {}, name)) return;
  throw new OtaError('DEVICE_NOT_ADDED', {
    name,
    reason: 'the configuration already has a device with this name',
    hint: 'Choose a different name, or change the existing entry in the configuration.',
  });
}

/**
 * Writes the configuration entry for a device.
 *
 * @returns the path of the configuration file
 * @throws OtaError DEVICE_NOT_ADDED, FILE_UNREADABLE, FILE_UNWRITABLE
 */
export async function writeEntry(
  name: string,
  entry: DeviceConfig,
  { configPath, folder }: ProjectSettings,
): Promise<string> {
  const path = configPath ?? join(folder, 'ota.config.json');
  const bytes = await readOptionalFile(path);
  const text = withDevice(bytes === undefined ? '{}\n' : Buffer.from(bytes).toString('utf8'), name, entry);
  if (text === undefined) {
    const hint = `Add this by hand under "devices": ${JSON.stringify(name)}: ${JSON.stringify(entry)}`;
    throw new OtaError('DEVICE_NOT_ADDED', {
      name,
      reason: `${path} is not plain JSON, so its comments and formatting would be lost`,
      hint,
    });
  }
  await writeAtomically(path, text);
  return path;
}
