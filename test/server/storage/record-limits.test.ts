import test from 'ava';
import { limitProblem } from '../../../src/server/storage/check/record-limits.ts';
import { newRecord, storedDocument } from '../../../src/server/storage/device-record.ts';
import { derivedColumns } from '../../../src/server/storage/sql/device-counts.ts';

test('accepts devices without the columns that later versions added, and no device whose columns do not match', (t) => {
  const record = {
    ...newRecord('door', '18:FE:34:00:00:01'),
    group: 'hall',
    board: 'd1_mini',
    running: { by: 'md5', releaseId: 7, version: '2.0' } as const,
  };
  const { board, release_id, ...before } = derivedColumns(record);
  t.deepEqual({ board, release_id }, { board: 'd1_mini', release_id: 7 });
  const row = { mac: record.mac, doc: storedDocument(record), ...before };
  const problemOf = (more: object) => limitProblem('devices', { ...row, ...more });
  t.is(problemOf({}), undefined, 'in a backup from before the migration');
  t.is(problemOf({ board, release_id }), undefined, 'after the migration');
  for (const wrong of [{ board: 'esp01' }, { board: null }, { release_id: 8 }, { device_group: null }]) {
    t.regex(problemOf(wrong) ?? '', /do not match the document/, JSON.stringify(wrong));
  }
});
