import { resolve } from 'node:path';
import { esp8266Environments, type ProjectEnvironments } from '../build/hooked-environments.ts';
import type { KeyPlace, ProjectSettings } from '../config/settings.ts';

/** Keys of one or more environments. */
export interface EnvironmentKeys {
  /** Names of the environments; empty for a project without environments. */
  readonly environments: readonly string[];
  readonly privateKey: KeyPlace | undefined;
  readonly publicKey: KeyPlace | undefined;
}

/**
 * Returns the keys that builds use: `custom_ota_private_key` and `custom_ota_public_key` of each ESP8266 environment, or else the keys in
 * the configuration. Environments with the same keys share an entry.
 */
export function environmentKeys(
  platformio: ProjectEnvironments | undefined,
  { privateKey, publicKey }: Pick<ProjectSettings, 'privateKey' | 'publicKey'>,
  home: string,
): readonly EnvironmentKeys[] {
  const found = new Map<string, EnvironmentKeys>();
  for (const { name, options } of platformio === undefined ? [] : esp8266Environments(platformio)) {
    const own = (option: string): KeyPlace | undefined => {
      const path = options.get(option);
      const folder = platformio?.files.folder ?? '';
      return path ? { path: resolve(folder, path.replace(/^~(?=[\\/])/, home)) } : undefined;
    };
    const keys = {
      privateKey: own('custom_ota_private_key') ?? privateKey,
      publicKey: own('custom_ota_public_key') ?? publicKey,
    };
    const same = found.get(JSON.stringify(keys))?.environments ?? [];
    found.set(JSON.stringify(keys), { ...keys, environments: [...same, name] });
  }
  return found.size > 0 ? [...found.values()] : [{ environments: [], privateKey, publicKey }];
}
