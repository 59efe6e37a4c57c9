import test from 'ava';
import { syncFile } from '../../src/files/sync.ts';

test('accepts a file handle without sync, as in Yarn Plug\u2019n\u2019Play, but no other failure', async (t) => {
  await t.notThrowsAsync(syncFile({ sync: () => Promise.reject(new Error('Method not implemented.')) }));
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  await t.throwsAsync(syncFile({ sync: () => Promise.reject(full) }), { is: full });
});
