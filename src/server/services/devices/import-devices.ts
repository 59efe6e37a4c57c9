import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ImportedDevice, ImportedDeviceInfo } from '../../../api/device-sets.ts';
import { newRecord } from '../../storage/device-record.ts';
import type { Actor, DeviceRecord } from '../../storage/records.ts';
import type { DeviceRecords } from './device-records.ts';
import { changedAtOnce } from './device-sets.ts';

interface Import {
  readonly project: string;
  readonly devices: readonly ImportedDevice[];
  readonly dryRun: boolean;
  readonly by: Actor;
}

const fields = ['enrolled', 'name', 'board', 'channel', 'group', 'labels', 'pin'] as const;

/** Enrolls the devices of a table and changes their settings. Returns what changes for each device. */
export async function importDevices(records: DeviceRecords, request: Import): Promise<readonly ImportedDeviceInfo[]> {
  const { project, devices, dryRun, by } = request;
  const rows = new Map(devices.map((device) => [device.mac, device]));
  const outcomes = new Map<string, ImportedDeviceInfo>();
  const change = (record: DeviceRecord | undefined, mac: string) => {
    const row = rows.get(mac);
    if (row === undefined) return record;
    const before = record ?? newRecord(project, mac);
    const after = imported(before, row);
    const changed = fields.filter((field) => !isDeepStrictEqual(before[field], after[field]));
    const isSame = record !== undefined && changed.length === 0;
    const kind = record?.enrolled !== true ? 'added' : isSame ? 'unchanged' : 'changed';
    outcomes.set(mac, { mac, change: kind, fields: changed });
    return isSame ? record : after;
  };
  const macs = [...rows.keys()];
  for (let at = 0; at < macs.length; at += changedAtOnce) {
    const some = macs.slice(at, at + changedAtOnce);
    if (!dryRun) await records.changeAll(project, some, change, { by, action: 'edit' });
    else {
      const found = await records.findAll(project, some);
      for (const mac of some) change(found?.get(mac), mac);
    }
    await setImmediate();
  }
  return [...outcomes.values()];
}

function imported(record: DeviceRecord, row: ImportedDevice): DeviceRecord {
  return {
    ...record,
    enrolled: true,
    name: row.name ?? record.name ?? row.defaultName,
    board: row.board ?? record.board,
    channel: row.channel ?? record.channel,
    group: row.group ?? record.group,
    labels: row.labels === undefined ? record.labels : labelsOf(row.labels),
    pin: row.pin ?? record.pin,
  };
}

/** Returns labels as they are stored: sorted, without duplicates; undefined for none. */
export function labelsOf(labels: readonly string[]): readonly string[] | undefined {
  return labels.length === 0 ? undefined : [...new Set(labels)].sort();
}
