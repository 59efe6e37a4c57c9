import { createHash } from 'node:crypto';
import type { RolloutStage } from '../../../api/rollout.ts';
import type { DeviceRecord, RolloutRecord } from '../../storage/records.ts';

/** What decides in which stage a device is. */
export type StagedDevice = Pick<DeviceRecord, 'mac' | 'enrolled' | 'group'>;

/**
 * The stage in which a device gets the release: the first that names it, its group, or a share that it falls into. A device that is not
 * enrolled may be made up, and says nothing about the release that could be trusted: it comes last.
 *
 * @returns an index into the stages of the rollout
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
 * Where a device stands among all, from 0 to 100: always the same for one release, so that it stays in its stage, and another for the
 * next, so that it is not always the same devices that go first.
 */
export function positionOf({ project, version }: { project: string; version: string }, mac: string): number {
  const digest = createHash('sha256').update(`${project}\n${version}\n${mac}`).digest();
  return (digest.readUIntBE(0, 6) / 2 ** 48) * 100;
}
