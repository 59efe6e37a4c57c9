import * as v from 'valibot';
import { md5 } from '../core/model/fields.ts';
import { type DiscoveredDevice, identityOf, nameKeyOf } from './discovery.ts';
import { type StateFile, stateFile } from './state-file.ts';

const discoveredSchema = v.strictObject({
  version: v.literal(1),
  devices: v.array(
    v.strictObject({
      method: v.picklist(['espota', 'web']),
      name: v.string(),
      host: v.string(),
      address: v.pipe(v.string(), v.ipv4()),
      port: v.number(),
      board: v.optional(v.string()),
      auth: v.optional(v.boolean()),
      sketchMd5: v.optional(md5),
      lastSeen: v.pipe(v.string(), v.isoTimestamp()),
    }),
  ),
});

/**
 * Discovered devices, and the time at which each device was last seen. The addresses are stored because mDNS can miss devices that are
 * online.
 */
export type Discovered = v.InferOutput<typeof discoveredSchema>;
export type StoredDevice = Discovered['devices'][number];

const forgottenAfterMs = 30 * 24 * 3600 * 1000;
/** Limit for devices that are listed and stored. */
export const mostDevices = 1000;

/**
 * Opens the file that lists the discovered devices.
 *
 * @param folder configuration folder
 */
export function discoveredFile(folder: string): StateFile<Discovered> {
  return stateFile(folder, 'discovered.json', discoveredSchema);
}

/**
 * Merges newly seen devices into the stored devices, newest first. Devices that have not been seen for 30 days are removed. A device that
 * was seen now replaces all stored ones of its name, because its address may have changed.
 */
export function withSeen(
  known: readonly StoredDevice[],
  seen: readonly DiscoveredDevice[],
  now: Date,
): readonly StoredDevice[] {
  const lastSeen = now.toISOString();
  const seenNames = new Set(seen.map(nameKeyOf));
  const absent = known.filter((device) => !seenNames.has(nameKeyOf(device)));
  const all = [...seen.map((device) => ({ ...device, lastSeen })), ...absent];
  const newest = new Map<string, StoredDevice>();
  for (const device of all) {
    const isForgotten = now.getTime() - Date.parse(device.lastSeen) > forgottenAfterMs;
    if (!isForgotten && !newest.has(identityOf(device))) newest.set(identityOf(device), device);
  }
  return [...newest.values()].slice(0, mostDevices);
}
