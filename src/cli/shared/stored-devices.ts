import { discoveredFile, type StoredDevice, withSeen } from '../../delivery/discovered.ts';
import type { DiscoveredDevice } from '../../delivery/discovery.ts';
import type { ProjectSettings } from '../../project/config/settings.ts';

/** Stores the devices, so that later runs can list devices that do not respond. Writes nothing in a folder without a configuration. */
export async function storeDevices(seen: readonly DiscoveredDevice[], settings: ProjectSettings): Promise<void> {
  if (settings.configPath === undefined || seen.length === 0) return;
  await discoveredFile(settings.folder).update((stored) => {
    const known = stored.state === 'known' ? stored.value.devices : [];
    return { version: 1, devices: [...withSeen(known, seen, new Date())] };
  });
}

/** Returns the devices that were found in earlier runs. */
export async function storedDevices({ folder }: ProjectSettings): Promise<readonly StoredDevice[]> {
  const discovered = await discoveredFile(folder).read();
  return discovered.state === 'known' ? discovered.value.devices : [];
}
