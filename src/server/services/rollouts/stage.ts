import { createHash } from 'node:crypto';
import type { RolloutStage } from '../../../api/rollout.ts';
import type { DeviceRecord, RolloutRecord } from '../../storage/records.ts';

/** Properties that determine a device's stage. */
export type StagedDevice = Pick<DeviceRecord, 'mac' | 'enrolled' | 'group'>;

/**
 * Returns a device's stage: the first stage that names the device or its group, or whose share includes the device. A device that is not
 * enrolled belongs to the last stage, because it may be fake.
 *
 * @returns an index into the rollout's stages
 */
export function stageOf(rollout: Pick<RolloutRecord, 'project' | 'version' | 'stages'>, device: StagedDevice): number {
  const last = rollout.stages.length - 1;
  if (!device.enrolled) return last;
  const position = positionOf(rollout, device.mac);
  const found = rollout.stages.findIndex((stage) => holds(stage, device, position));
  return found === -1 ? last : found;
}

function holds({ share, canaries, groups }: RolloutStage, { mac, group }: StagedDevice, position: number): boolean {
  return position < share || canaries.includes(mac) || (group !== undefined && groups.includes(group));
}

/**
 * Returns a device's position among all devices, from 0 to 100. For one release, the position is constant, so that the device stays in its
 * stage. Other releases use different positions, so that the same devices are not always first.
 */
export function positionOf({ project, version }: { project: string; version: string }, mac: string): number {
  const digest = createHash('sha256').update(`${project}\n${version}\n${mac}`).digest();
  return (digest.readUIntBE(0, 6) / 2 ** 48) * 100;
}
