import test from 'ava';
import type { Io } from '../../../src/cli/io.ts';
import { during } from '../../../src/cli/output/during.ts';
import { filteredOutput } from '../../../src/cli/output/terminal-text.ts';

/** Runs a task until its output matches `enough`, and returns the output. */
async function shown(
  fancy: boolean,
  progress: number | string | undefined,
  enough: RegExp,
  quiet = false,
): Promise<string> {
  let seen = '';
  let isEnough: () => void = () => undefined;
  const write = (text: string) => {
    seen += text;
    if (enough.test(seen)) isEnough();
  };
  const io = { fancy, stderr: filteredOutput(write), stdout: { write: () => Promise.reject(new Error('not there')) } };
  // The timers of `during` do not keep a process running.
  const running = setInterval(() => undefined, 60_000);
  // `during` uses no other members of Io.
  await during({ what: 'packing door.bin' }, io as unknown as Io, { quiet }, (show) => {
    if (progress !== undefined) show(progress);
    return new Promise<void>((done) => {
      isEnough = done;
      if (enough.test('')) done();
    });
  });
  clearInterval(running);
  return seen;
}

const clearLine = '\r\u001b[K';

test('during shows a progress bar in a terminal and clears it at the end', async (t) => {
  const seen = await shown(true, 0.5, /%/);
  t.is(seen, `${clearLine}[############............] 50%  packing door.bin${clearLine}`);
});

test('during shows a moving bar with the elapsed time or the amount when the total is unknown', async (t) => {
  t.regex(await shown(true, undefined, /#(?:.*#){3}/s), /\[\.*#\.*\] \d+ s {2}packing door\.bin/);
  t.regex(await shown(true, '12 KB', /KB/), /\[\.*#\.*\] 12 KB {2}packing door\.bin/);
});

test('during prints one line and no bar when stderr is not a terminal', async (t) => {
  t.is(await shown(false, 0.5, /\n/), 'packing door.bin …\n');
});

test('during prints nothing for a short task, with or without --quiet', async (t) => {
  t.is(await shown(false, undefined, /^/), '');
  t.is(await shown(true, undefined, /^/), '');
  t.is(await shown(true, undefined, /^/, true), '');
});

test('during rejects when the task fails', async (t) => {
  const io = { fancy: true, stderr: { write: () => true } } as unknown as Io;
  await t.throwsAsync(
    during({ what: 'packing' }, io, {}, () => Promise.reject(new Error('no'))),
    { message: 'no' },
  );
});
