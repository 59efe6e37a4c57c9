/** Runs the commands of docs/start.md: the first ten minutes, from an empty folder to an update and back. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Act, actsOf } from '../../docs/acts.ts';
import { makePlace, type Place, type Run } from './place.ts';

const page = 'start.md';

/** Follows a section to its end. `before` may inspect the folder, or change a source as the page describes. */
async function followSection(
  t: ExecutionContext,
  place: Place,
  heading: string,
  before: (act: Act, count: number) => Promise<void>,
): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (const act of actsOf(page, heading)) {
    const command = act.act === 'run' ? act.command : '';
    await before(act, runs.filter((run) => run.command === command).length + 1);
    const run = await place.follow(act);
    if (run === undefined) continue;
    runs.push(run);
    t.is(run.exitCode, 0, `${run.command}\n${run.output}`);
  }
  return runs;
}

function outputOf(runs: readonly Run[], command: RegExp): string {
  return runs
    .filter((run) => command.test(run.command))
    .map(({ output }) => output)
    .join('\n');
}

/** @returns the previous text */
async function changeSource(place: Place, name: string): Promise<string> {
  const text = await place.read(name);
  await place.write(name, text.replace('"network"', '"another network"'));
  return text;
}

test.serial(
  'PlatformIO: docs/start.md leads from an empty folder to a signed update of a device, and back',
  async (t) => {
    const place = await makePlace(t);
    let sourceBefore = '';
    let beforeInit: Awaited<ReturnType<Place['listing']>> = {};
    const runs = await followSection(t, place, 'PlatformIO', async (act, count) => {
      if (act.act !== 'run') return;
      if (act.command === 'npx ota-hooks init') beforeInit = await place.listing();
      if (act.command === 'pio run' && count === 2) sourceBefore = await changeSource(place, 'src/main.cpp');
    });

    t.regex(
      outputOf(runs, /^npx ota-hooks init$/),
      /contains the public key.*accepts no other updates.*copy of the private key/s,
    );
    t.is(outputOf(runs, /^pio run$/).match(/Enabling binary signing/g)?.length, 1, 'the key is built in once');
    t.is(outputOf(runs, /^pio run$/).match(/Signed binary: .*firmware\.bin\.signed/g)?.length, 2);
    t.is((await place.sketchesRun(2)).length, 2, 'the second build runs after the first');
    const uploads = runs.filter(({ command }) => command.includes('ota-hooks upload')).map(({ output }) => output);
    t.regex(uploads[0] ?? '', /smaller: firmware\.bin\.gz\.signed/);
    t.regex(uploads.at(-1) ?? '', /Sending .*firmware\.bin\.gz\.signed/);
    t.notRegex(uploads.at(-1) ?? '', /warning|smaller/, 'the compressed update needs no further facts');
    await place.write('src/main.cpp', sourceBefore);
    t.deepEqual(await place.listing(), beforeInit, 'as it was before init');
    t.regex(outputOf(runs, /init --undo$/), /kept: private\.key/);
  },
);

test.serial(
  'arduino-cli: docs/start.md leads from an empty folder to a signed update of a device, and back',
  async (t) => {
    const place = await makePlace(t);
    let sourceBefore = '';
    let beforeInit: Awaited<ReturnType<Place['listing']>> = {};
    const runs = await followSection(t, place, 'arduino-cli', async (act, count) => {
      if (act.act !== 'run') return;
      if (act.command === 'npx ota-hooks init') beforeInit = await place.listing();
      if (act.command.includes('ota-hooks build') && count === 2)
        sourceBefore = await changeSource(place, 'door/door.ino');
    });

    t.regex(outputOf(runs, /^npx ota-hooks init$/), /for builds in the Arduino IDE/);
    t.is(outputOf(runs, /ota-hooks build/).match(/Signed binary: .*door\.ino\.bin\.signed/g)?.length, 2);
    t.is((await place.sketchesRun(2)).length, 2, 'the second build runs after the first');
    const uploads = runs.filter(({ command }) => command.includes('ota-hooks upload')).map(({ output }) => output);
    t.regex(uploads[0] ?? '', /smaller: door\.ino\.bin\.gz\.signed/);
    t.regex(uploads.at(-1) ?? '', /Sending .*door\.ino\.bin\.gz\.signed/);
    t.notRegex(uploads.at(-1) ?? '', /warning|smaller/, 'the compressed update needs no further facts');
    await place.write('door/door.ino', sourceBefore);
    t.deepEqual(await place.listing(), beforeInit, 'as it was before init');
    await t.throwsAsync(
      stat(join(place.core, 'platform.local.txt')),
      { code: 'ENOENT' },
      'the installed core is unchanged',
    );
  },
);

test.serial('Arduino IDE 2: docs/start.md signs a build with installed hooks and restores the core', async (t) => {
  const place = await makePlace(t);
  const [sketch] = actsOf(page, 'arduino-cli');
  if (sketch !== undefined) await place.follow(sketch);
  const runs = await followSection(t, place, 'Arduino IDE 2', async () => undefined);

  t.regex(outputOf(runs, /^arduino-cli compile/), /Signed binary: .*door\.ino\.bin\.signed/);
  t.regex(outputOf(runs, /ota-hooks verify/), /accept/i);
  await t.throwsAsync(stat(join(place.core, 'platform.local.txt')), { code: 'ENOENT' });
});

test.serial('doctor reports no errors or warnings after the first PlatformIO build of docs/start.md', async (t) => {
  const place = await makePlace(t);
  const acts = actsOf(page, 'PlatformIO');
  for (const act of acts.slice(0, acts.findIndex((one) => one.act === 'run' && one.command === 'pio run') + 1)) {
    await place.follow(act);
  }
  const [advice] = actsOf(page, 'Troubleshoot');
  const run = advice && (await place.follow(advice));
  t.is(run?.exitCode, 0, run?.output);
  t.notRegex(run?.output ?? '', /(?:error|warning)/);
  for (const said of [/public key match/, /runs the hook/, /PlatformIO 6/]) t.regex(run?.output ?? '', said);
});
