/** docs/server.md, from nothing to a device that has updated itself, and on to a backup: only its commands. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { type Act, actsOf } from '../../docs/acts.ts';
import { makePlace, type Place, type Run } from '../newcomer/place.ts';

const page = 'server.md';
const image = '.pio/build/d1_mini/firmware.bin';

/** What is known of a device is asked again until it is so; a device takes its time. */
const patienceMs = 120_000;
const settled: readonly { readonly command: string; readonly heading: string; readonly until: RegExp }[] = [
  {
    heading: 'From nothing to a device that updates itself',
    command: 'npx ota-hooks server devices list door',
    until: /runs 1\.0\.1, by its sketch MD5/,
  },
  { heading: 'HTTPS', command: 'npx ota-hooks server devices list door', until: /runs 1\.0\.1, by its sketch MD5/ },
];

async function follow(
  t: ExecutionContext,
  place: Place,
  heading: string,
  before: (act: Act, count: number) => Promise<void> = async () => undefined,
): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (const act of actsOf(page, heading)) {
    const command = act.act === 'run' ? act.command : '';
    await before(act, runs.filter((run) => run.command === command).length + 1);
    const until = settled.find((each) => each.heading === heading && each.command === command)?.until;
    const run = await followUntil(place, act, until);
    if (run === undefined) continue;
    runs.push(run);
    t.is(run.exitCode, 0, `${run.command}\n${run.output}`);
    if (until !== undefined) t.regex(run.output, until);
  }
  return runs;
}

async function followUntil(place: Place, act: Act, until: RegExp | undefined): Promise<Run | undefined> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const run = await place.follow(act);
    if (until === undefined || run === undefined || until.test(run.output) || performance.now() > end) return run;
    await pause(1000);
  }
}

function outputOf(runs: readonly Run[], command: RegExp): string {
  return runs
    .filter((run) => command.test(run.command))
    .map(({ output }) => output)
    .join('\n');
}

test.serial('every command of the page does what the page says', async (t) => {
  const place = await makePlace(t);
  const first = await follow(t, place, 'From nothing to a device that updates itself', async (act, count) => {
    if (act.act !== 'run' || act.command !== 'pio run' || count !== 2) return;
    const source = await place.read('src/main.cpp');
    await place.write('src/main.cpp', source.replace('"network"', '"another network"'));
  });
  const builds = outputOf(first, /^pio run$/);
  t.regex(builds, /Signed binary: .*firmware\.bin\.signed[\s\S]*Published door 1\.0\.0 \(sketch, d1_mini\) on stable/);
  t.regex(builds, /Published door 1\.0\.1/);

  const published = await follow(t, place, 'When builds publish');
  t.regex(outputOf(published, /publish/), /door 1\.0\.1 .* is published already on stable/);
  t.regex(outputOf(published, /token create/), /ota_/);

  await cp(join(place.folder, image), join(place.folder, 'door-0.9.bin'));
  t.regex(outputOf(await follow(t, place, 'Devices that run older builds'), /--known/), /door 0\.9 .* is known/);

  const mended = await follow(t, place, 'When something goes wrong');
  t.regex(outputOf(mended, /releases list/), /1\.0\.0 .* stable/);
  t.notRegex(outputOf(mended, /releases list/), /1\.0\.1 .* stable/);

  await follow(t, place, 'Who may ask');
  t.regex(outputOf(await follow(t, place, 'HTTPS'), /publish/), /Published door 1\.0\.1 .*https:\/\/localhost/);

  await follow(t, place, 'A folder in place of a server');
  t.truthy(await place.read('www/door/@stable/firmware.bin.signed'));
  await follow(t, place, 'Looking after it');
});

test.serial('with arduino-cli a build is published as well', async (t) => {
  const place = await makePlace(t);
  const needed = /^(?:npm |npx ota-hooks serve |export )/;
  for (const act of actsOf(page, 'From nothing to a device that updates itself')) {
    if (act.act === 'run' && needed.test(act.command)) await place.follow(act);
  }
  const runs = await follow(t, place, 'With arduino-cli');
  t.regex(outputOf(runs, /build/), /Published door 1\.0\.0 \(sketch\) on stable/);
});
