import test from 'ava';
import type { Io } from '../../../src/cli/io.ts';
import { during } from '../../../src/cli/output/during.ts';

/** What is seen of work that goes on until somebody has seen enough of it. */
async function shown(fancy: boolean, far: number | string | undefined, enough: RegExp, quiet = false): Promise<string> {
  let seen = '';
  let isEnough: () => void = () => undefined;
  const write = (text: string) => {
    seen += text;
    if (enough.test(seen)) isEnough();
  };
  const io = { fancy, stderr: { write }, stdout: { write: () => Promise.reject(new Error('not there')) } };
  // Nothing else of the world is looked at.
  await during({ what: 'packing door.bin' }, io as unknown as Io, { quiet }, (tell) => {
    if (far !== undefined) tell(far);
    return new Promise<void>((done) => {
      isEnough = done;
      if (enough.test('')) done();
    });
  });
  return seen;
}

const clearLine = '\r\u001b[K';

test('a terminal shows how far it is, and nothing of it when it is over', async (t) => {
  const seen = await shown(true, 0.5, /%/);
  t.is(seen, `${clearLine}[############............]  50 %  packing door.bin${clearLine}`.replace(']  50', '] 50'));
});

test('where nobody knows the whole, something moves, and it is said how long it has lasted or how much there is', async (t) => {
  t.regex(await shown(true, undefined, /#(?:.*#){3}/s), /\[\.*#\.*\] \d+ s {2}packing door\.bin/);
  t.regex(await shown(true, '12 KB', /KB/), /\[\.*#\.*\] 12 KB {2}packing door\.bin/);
});

test('a log has one line of what lasts longer than a second, and none of a bar', async (t) => {
  t.is(await shown(false, 0.5, /\n/), 'packing door.bin …\n');
});

test('what is over at once, such as what a hook does, is not spoken of, and nothing is with --quiet', async (t) => {
  t.is(await shown(false, undefined, /^/), '');
  t.is(await shown(true, undefined, /^/), '');
  t.is(await shown(true, undefined, /^/, true), '');
});

test('what fails fails, and its line goes', async (t) => {
  const io = { fancy: true, stderr: { write: () => true } } as unknown as Io;
  await t.throwsAsync(
    during({ what: 'packing' }, io, {}, () => Promise.reject(new Error('no'))),
    { message: 'no' },
  );
});
