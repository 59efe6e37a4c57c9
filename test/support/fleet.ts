import type { ExecutionContext } from 'ava';
import { readPublicKey } from '../../src/core/keys/public-key.ts';
import { startVirtualDevice, type VirtualDevice } from '../../src/simulator/index.ts';
import type { VirtualDeviceOptions } from '../../src/simulator/options.ts';
import { patientTimings } from '../simulator/patient-timings.ts';
import { builtSketch, door, type fullDoor } from './built-sketch.ts';
import { patienceMs } from './patience.ts';
import { runCommand } from './run-command.ts';
import type { TestFolder } from './test-folder.ts';

export const doorKey = readPublicKey(door.publicPem, 'the key of the door');

/** Complete facts about the device that the fixture sketch is built for. */
export const doorFacts = {
  core: '3.1.2',
  signing: 'required',
  keyFingerprint: doorKey.fingerprint,
  flashMode: 'dio',
  chipSizeBytes: 4 * 1024 * 1024,
  fsStart: 0x200000,
  fsEnd: 0x3fa000,
  sketchSizeBytes: 100 * 1024,
} as const;

/** Starts a virtual device without delays, built with the fixture's key; it is closed when the test ends. */
export async function virtualDoor(t: ExecutionContext, options: VirtualDeviceOptions = {}): Promise<VirtualDevice> {
  const device = await startVirtualDevice({
    image: { sizeBytes: 100 * 1024, publicKey: doorKey },
    publicKey: doorKey,
    // A large window keeps tests short, because the default window splits 285 KB into steps of 5,840 bytes.
    link: { windowBytes: 64 * 1024 },
    ...options,
    timings: { ...patientTimings, ...options.timings },
  });
  t.teardown(() => device.close());
  return device;
}

/** Creates a folder with the packed fixture sketch and a configuration with these devices. */
export async function packedDoor(
  t: ExecutionContext,
  devices: Readonly<Record<string, object>> = {},
  config: Readonly<Record<string, unknown>> = {},
  sketch: typeof fullDoor = door,
): Promise<TestFolder> {
  const files = { 'ota.config.json': JSON.stringify({ project: 'door', devices, ...config }) };
  const folder = await builtSketch(t, files, sketch);
  const { exitCode, stderr } = await runCommand(['pack', 'build/door.ino.bin', '--legacy'], { cwd: folder.path });
  if (exitCode !== 0) throw new Error(stderr);
  return folder;
}

/** Configuration entry for a virtual device. */
export function listed(device: VirtualDevice, more: object = {}): object {
  return { address: device.host, port: device.otaPort, ...more };
}

/** Update verdicts that the device itself has reported. */
export function updatesOf(device: VirtualDevice): string[] {
  return device.events.past.flatMap((event) => (event.event === 'update' ? [event.verdict] : []));
}

/** Waits until a device has restarted after its update. */
export async function restarted(device: VirtualDevice): Promise<VirtualDevice['state']> {
  const isBack = device.state.restarts > 0 && device.state.phase === 'running';
  if (!isBack) await device.nextEvent(({ event }) => event === 'boot', patienceMs);
  return device.state;
}
