import test from 'ava';
import { retryWhileInUse } from '../../src/files/retry.ts';

/** A system that records the pauses instead of waiting. */
function system(platform: NodeJS.Platform) {
  const pausesMs: number[] = [];
  return { platform, pausesMs, pause: async (milliseconds: number) => pausesMs.push(milliseconds) };
}

function failing(code: string, times: number) {
  let left = times;
  return async () => {
    left -= 1;
    if (left >= 0) throw Object.assign(new Error(code), { code });
    return 'done';
  };
}

for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
  test(`retries after ${code} on Windows, where another program may have the file open`, async (t) => {
    const windows = system('win32');
    t.is(await retryWhileInUse(failing(code, 3), windows), 'done');
    t.deepEqual(windows.pausesMs, [10, 20, 40]);
  });
}

test('stops retrying within three seconds on Windows if a file stays open', async (t) => {
  const windows = system('win32');
  await t.throwsAsync(
    retryWhileInUse(() => failing('EPERM', 1)(), windows),
    { code: 'EPERM' },
  );
  t.true(windows.pausesMs.reduce((sum, pauseMs) => sum + pauseMs) <= 3000);
});

test('does not retry other errors on Windows', async (t) => {
  const windows = system('win32');
  await t.throwsAsync(retryWhileInUse(failing('ENOSPC', 1), windows), { code: 'ENOSPC' });
  t.deepEqual(windows.pausesMs, []);
});

for (const platform of ['linux', 'darwin'] as const) {
  test(`does not retry EACCES on ${platform}`, async (t) => {
    const other = system(platform);
    await t.throwsAsync(retryWhileInUse(failing('EACCES', 1), other), { code: 'EACCES' });
    t.deepEqual(other.pausesMs, []);
  });
}
