import type { Artifact, Manifest } from '../core/model/manifest.ts';

/** Returns the devices for which an artifact is published. A build has several, because no single one is safe for all devices. */
export function useOf({ encoding, signature }: Artifact, { signing, image }: Manifest): string {
  if (signature === 'legacy') return 'for devices on core 2.5.0 to 2.5.2';
  const isForNewDevices = signature === 'none' && signing.publicKey !== undefined;
  const devices = isForNewDevices ? 'devices that do not verify signatures yet' : 'devices';
  if (encoding === 'identity') return `for all ${devices}`;
  if (image.kind === 'filesystem') return `smaller, for ${devices} built with ATOMIC_FS_UPDATE`;
  const core = signature === 'none' ? '2.7.0' : '3.0.0';
  return `smaller, for ${devices} on core ${core} or later with a known flash mode`;
}
