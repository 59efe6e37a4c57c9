import type { RolloutDevices } from '../../../api/rollout-info.ts';
import { DomainError } from '../domain-error.ts';
import type { ServiceParts } from '../parts.ts';
import { memberInfo } from './member-info.ts';
import { type MemberSelection, type SelectedMembers, selectMembers } from './member-selection.ts';
import { isUnderWay } from './step.ts';
import { unknownRollout } from './unknown-rollout.ts';

interface Page {
  /** MAC after which the page starts. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/**
 * Lists devices of a rollout, ordered by MAC.
 *
 * @throws DomainError not-found; conflict if the rollout has ended
 */
export async function listMembers(
  { store, records }: Pick<ServiceParts, 'store' | 'records'>,
  project: string,
  id: number,
  { after, limit, ...selection }: MemberSelection & Page,
): Promise<RolloutDevices> {
  const rollout = await store.rollouts.find(project, id);
  if (rollout === undefined) throw unknownRollout(id);
  const { version, state } = rollout;
  if (!isUnderWay(rollout)) {
    const message = `the rollout of ${version} is ${state}, and its devices are no longer listed`;
    throw new DomainError('conflict', message, 'Use the device list, which you can filter by status and version.');
  }
  const { total, filter } = selectMembers(rollout, await store.rollouts.counts(id), selection);
  const devices = await records.list(project, { after, limit }, { members: filter });
  return {
    rollout: id,
    total,
    devices: devices.map((device) => memberInfo(rollout, device)),
    next: devices.length < limit ? undefined : devices.at(-1)?.record.mac,
  };
}

/**
 * Selects devices of a rollout for a device list.
 *
 * @returns undefined if there is no such rollout, or it has ended
 */
export async function findMembers(
  { store }: Pick<ServiceParts, 'store'>,
  project: string,
  id: number,
  selection: MemberSelection,
): Promise<SelectedMembers | undefined> {
  const rollout = await store.rollouts.find(project, id);
  if (rollout === undefined || !isUnderWay(rollout)) return undefined;
  return selectMembers(rollout, await store.rollouts.counts(id), selection);
}
