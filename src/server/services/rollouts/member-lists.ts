import type { RolloutDevices } from '../../../api/rollout-info.ts';
import type { RolloutRecord, SeenDevice } from '../../storage/records.ts';
import type { FinalMember } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import type { ServiceParts } from '../parts.ts';
import { finalMemberInfo, type MemberInfo, memberInfo } from './member-info.ts';
import { hasDeviceLists, type MemberSelection, type SelectedMembers, selectMembers } from './member-selection.ts';
import { unknownRollout } from './unknown-rollout.ts';

interface Page {
  /** MAC after which the page starts. */
  readonly after?: string | undefined;
  readonly limit: number;
}

type Parts = Pick<ServiceParts, 'store' | 'records'>;

/**
 * Lists devices of a rollout, ordered by MAC. The list of a rollout that has ended also contains devices that have been removed since.
 *
 * @throws DomainError not-found; conflict if the devices of an ended rollout are not stored
 */
export async function listMembers(
  parts: Parts,
  project: string,
  id: number,
  { after, limit, ...selection }: MemberSelection & Page,
): Promise<RolloutDevices> {
  const { store, records } = parts;
  const rollout = await store.rollouts.find(project, id);
  if (rollout === undefined) throw unknownRollout(id);
  if (!(await hasDeviceLists(store, rollout))) throw notListed(rollout);
  const selected = selectMembers(rollout, await store.rollouts.counts(id), selection);
  const { total, filter } = selected;
  const devices = filter.isFinal
    ? await finalMembers(parts, selected, { after, limit })
    : (await records.list(project, { after, limit }, { members: filter })).map((device) => memberInfo(rollout, device));
  return { rollout: id, total, devices, next: devices.length < limit ? undefined : devices.at(-1)?.mac };
}

/**
 * Selects devices of a rollout for a device list.
 *
 * @returns undefined if there is no such rollout, or its devices are not stored
 */
export async function findMembers(
  { store }: Pick<ServiceParts, 'store'>,
  project: string,
  id: number,
  selection: MemberSelection,
): Promise<SelectedMembers | undefined> {
  const rollout = await store.rollouts.find(project, id);
  if (rollout === undefined || !(await hasDeviceLists(store, rollout))) return undefined;
  return selectMembers(rollout, await store.rollouts.counts(id), selection);
}

/** Describes the members among listed devices, by MAC. */
export async function describeMembers(
  { store }: Pick<ServiceParts, 'store'>,
  { rollout, filter }: SelectedMembers,
  devices: readonly SeenDevice[],
): Promise<ReadonlyMap<string, MemberInfo>> {
  if (!filter.isFinal) return new Map(devices.map((device) => [device.record.mac, memberInfo(rollout, device)]));
  const macs = devices.map(({ record }) => record.mac);
  return byMac(rollout, await store.rollouts.finalMembersOf(filter, macs), devices);
}

async function finalMembers(
  { store, records }: Parts,
  { rollout, filter }: SelectedMembers,
  page: Page,
): Promise<MemberInfo[]> {
  const members = await store.rollouts.finalMembers(filter, page);
  // All devices of the page that still exist, and, if some do not, further ones.
  const devices = await records.list(rollout.project, page, { members: filter });
  return [...byMac(rollout, members, devices).values()];
}

function byMac(
  rollout: RolloutRecord,
  members: readonly FinalMember[],
  devices: readonly SeenDevice[],
): ReadonlyMap<string, MemberInfo> {
  const known = new Map(devices.map((device) => [device.record.mac, device]));
  return new Map(members.map((member) => [member.mac, finalMemberInfo(rollout, member, known.get(member.mac))]));
}

function notListed({ version, state }: RolloutRecord): DomainError {
  const message = `the rollout of ${version} is ${state}, and its devices are not stored`;
  return new DomainError('conflict', message, 'Use the device list, which you can filter by status and version.');
}
