import test from 'ava';
import fc from 'fast-check';
import { newProject } from '../../../src/server/services/releases/project.ts';
import { newRecord } from '../../../src/server/storage/device-record.ts';
import { listedMacs } from '../../../src/server/storage/sql/device-lists.ts';
import { sqliteEngine } from '../../../src/server/storage/sql/engines/sqlite.ts';
import { migrate } from '../../../src/server/storage/sql/migrate.ts';
import { sqlStore } from '../../../src/server/storage/sql/sql-store.ts';
import { Connection } from '../../../src/server/storage/sql/sqlite/connection.ts';
import type { DeviceFilter, RecordPage } from '../../../src/server/storage/store.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { testFolder } from '../../support/test-folder.ts';
import { auditBy } from '../audit-by.ts';
import { drivers } from './drivers.ts';

const groups = ['a', 'b', undefined] as const;
const names = ['lamp', 'door lamp', undefined] as const;
const versions = ['1.0', '2.0', undefined] as const;

for (const driver of drivers) {
  test(`${driver.name}: finds the same devices with any number of comparisons per statement`, async (t) => {
    const path = (await testFolder(t)).at('ota.db');
    const connection = new Connection(path, driver);
    t.teardown(() => connection.close());
    const engine = sqliteEngine({ connection, path, copyPath: path, close: async () => connection.close() });
    await migrate(engine);
    const { catalog, devices } = sqlStore(engine);
    await catalog.saveProject(newProject('door', []), auditBy('tester'));
    const fleet = Array.from({ length: 27 }, (_, index) => ({
      mac: `18:FE:34:00:00:${String(index).padStart(2, '0')}`,
      group: groups[index % 3],
      name: names[Math.floor(index / 3) % 3],
      runs: versions[Math.floor(index / 9)],
    }));
    for (const { mac, group, name, runs } of fleet) {
      const running = runs === undefined ? undefined : ({ by: 'version', version: runs } as const);
      await devices.save({ ...newRecord('door', mac), group, name, running }, { mostDevices: 1000 });
    }
    const matching = ({ after = '', before = 'Z', limit }: RecordPage, { group, runs, text = '' }: DeviceFilter) => {
      const found = fleet.filter(
        (each) =>
          each.mac > after &&
          each.mac < before &&
          (group === undefined || each.group === group) &&
          (runs === undefined || each.runs === runs) &&
          (each.name ?? '').includes(text),
      );
      const macs = found.map(({ mac }) => mac);
      return before === 'Z' ? macs.slice(0, limit) : macs.slice(-limit);
    };
    const anyMac = fc.constantFrom(undefined, ...fleet.map(({ mac }) => mac));
    const filters = fc.record({
      group: fc.constantFrom(...groups),
      runs: fc.constantFrom(...versions),
      text: fc.constantFrom(undefined, 'lamp', 'door'),
    });
    const property = fc.asyncProperty(
      fc.record({ at: anyMac, isBackwards: fc.boolean(), limit: fc.integer({ min: 1, max: 30 }) }),
      filters,
      fc.integer({ min: 1, max: 30 }),
      async ({ at, isBackwards, limit }, filter, mostCompared) => {
        const page = isBackwards && at !== undefined ? { before: at, limit } : { after: at, limit };
        const found = await listedMacs(engine, { id: 1, name: 'door' }, page, filter, mostCompared);
        t.deepEqual(found, matching(page, filter));
      },
    );
    await fc.assert(property, propertyRuns(60, 1000));
  });
}
