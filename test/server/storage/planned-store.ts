import { newRecord } from '../../../src/server/storage/device-record.ts';
import type { DeviceRecord, RolloutMember } from '../../../src/server/storage/records.ts';
import type { Store } from '../../../src/server/storage/store.ts';
import { auditBy } from '../audit-by.ts';
import { testBuild } from '../builds.ts';
import { publication, rollout } from './contract-records.ts';

/** Tables with a row for each device, for each member of a rollout, or for each change. */
export const largeTables: readonly string[] = ['devices', 'rollout_members', 'rollout_results', 'audit'];

/** Devices that `fillPlannedStore` saves. A test may add copies. */
const saved = 3;
const enrolled = { mostDevices: 1000, audit: [auditBy('tester')] };

/**
 * Fills a store with a few devices and an active rollout.
 *
 * @returns ID of the rollout
 */
export async function fillPlannedStore(store: Store): Promise<number> {
  const [first, second] = [await testBuild({ seed: 1 }), await testBuild({ seed: 2 })];
  await store.catalog.publish(publication(first.manifest, '1.0'));
  await store.catalog.publish(publication(second.manifest, '2.0', { channel: undefined }));
  for (let index = 0; index < saved; index++) {
    await store.devices.save(plannedDevice(plannedMac(index), { name: `lamp ${index}` }), enrolled);
  }
  const created = await store.rollouts.create(rollout(2, 1), () => auditBy('tester'));
  if (created === undefined) throw new Error('another rollout is in progress');
  while ((await store.rollouts.countNext(created.id, 100, memberOf)) === 'more');
  return created.id;
}

export function plannedMac(index: number): string {
  const digits = index.toString(16).toUpperCase().padStart(6, '0');
  return `18:FE:34:${digits.replace(/..(?!$)/g, '$&:')}`;
}

function plannedDevice(mac: string, more: Partial<DeviceRecord>): DeviceRecord {
  const running = { by: 'md5', version: '1.0', releaseId: 1 } as const;
  return { ...newRecord('door', mac), enrolled: true, group: 'hall', running, ...more };
}

function memberOf({ mac }: DeviceRecord): RolloutMember {
  return { stage: 0, kind: 'running', sinceMs: 5, address: `10.0.0.${mac.slice(-1)}` };
}

/** Does what device requests do: reads devices, saves known and new devices with their members, and stores when they were seen. */
export async function runDevices(store: Store, rolloutId: number): Promise<void> {
  const { devices } = store;
  const mac = plannedMac(1);
  const checked = await devices.check('door', mac);
  if (checked?.record === undefined) throw new Error('the device is not stored');
  const { record } = checked;
  const before = memberOf(record);
  const members = [{ rollout: rolloutId, before, after: { ...before, kind: 'failed' } }];
  const basis = { mostDevices: 1000, projectRevision: checked.revision };
  await devices.save({ ...record, running: undefined }, { ...basis, members });
  await devices.save(newRecord('door', '18:FE:35:00:00:01'), basis);
  // The project has room for one device, so a second one evicts the first.
  await devices.save(newRecord('door', '18:FE:35:00:00:02'), { ...basis, mostDevices: 1 });
  await devices.touch([{ project: 'door', mac, at: 9, report: {} }]);
  await devices.overdue(5, 100);
  await devices.get('door', mac);
  await store.catalog.revisions();
}

/** Reads what the dashboard and the API show. */
export async function runDashboard({ devices, audit }: Store, rollout: number): Promise<void> {
  await devices.tally('door');
  await devices.count('door');
  for (const page of [{}, { after: plannedMac(1) }, { before: plannedMac(2) }]) {
    for (const filter of [
      {},
      { status: 'failed' },
      { runs: '1.0' },
      { group: 'hall' },
      { status: 'unknown', runs: '1.0', group: 'hall' },
      { text: 'nothing' },
      { text: 'fe34' },
      { text: plannedMac(1) },
      { text: 'lamp', group: 'hall' },
      { members: { rollout, parts: [{ stage: 0, kind: 'running' }], isFinal: false } },
      { members: { rollout, parts: [{ stage: 0, kind: 'running' }], isFinal: true } },
      {
        members: {
          rollout,
          parts: [
            { stage: 0, kind: 'running' },
            { stage: 1, kind: 'pending' },
          ],
          isFinal: false,
        },
        text: 'lamp',
        status: 'unknown',
      },
    ] as const) {
      await devices.list('door', { ...page, limit: 101 }, filter);
    }
  }
  await devices.named('door', ['lamp 1', 'lamp 2']);
  await audit.ofDevice('door', plannedMac(1), 100);
  await audit.list({ limit: 100 });
}

/** Evaluates and shows a rollout. */
export async function runRollout({ rollouts }: Store, id: number): Promise<void> {
  await rollouts.current('door');
  await rollouts.find('door', id);
  await rollouts.counts(id);
  await rollouts.soaked(id, ['running', 'running unproven'], 100);
  await rollouts.addresses(id, ['failed']);
  const filter = { rollout: id, parts: [{ stage: 0, kind: 'running' }] };
  await rollouts.hasFinalMembers(id);
  await rollouts.finalMembers(filter, { after: plannedMac(1), limit: 100 });
  await rollouts.finalMembersOf(filter, [plannedMac(1), plannedMac(2)]);
  await rollouts.forgetFinalMembers('door', 100, 100);
  await rollouts.countNext(id, 100, memberOf);
}
